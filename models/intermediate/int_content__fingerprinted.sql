{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='content_id',
    on_schema_change='append_new_columns',
) }}

with content as (
    {{ first_known_rows(ref('stg_raw__content')) }}
),

fingerprints as (
    {% for kind in ['caption', 'audio', 'link'] %}
        select
            content.content_id,
            content.creator_id,
            '{{ kind }}' as fingerprint_kind,
            content.{{ kind }}_hash as fingerprint_hash,
            content.ingested_at <= content.occurred_at + interval 1 day as is_prompt,
            content.ingested_at > {{ previous_as_of() }}
            or content.occurred_at > {{ previous_as_of() }} - interval 1 day as is_open,
            content.occurred_at,
            content.ingested_at as known_at
        from content
        where content.{{ kind }}_hash is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Since the last build only items of fingerprints that an item of it has can matter to
-- an item that became known, or may have got a prompt neighbour.
open_fingerprints as (
    select distinct
        fingerprint_kind,
        fingerprint_hash
    from fingerprints
    where is_open
),

-- An earlier item that was known within a day is known at any age of a later one, so
-- one window is enough, and the count is the same whenever it is made.
counted as (
    select
        fingerprints.content_id,
        fingerprints.creator_id,
        fingerprints.fingerprint_kind,
        fingerprints.fingerprint_hash,
        count(case when fingerprints.is_prompt then 1 end) over (
            partition by fingerprints.fingerprint_kind, fingerprints.fingerprint_hash
            order by fingerprints.occurred_at
            range between
            interval 28 day preceding and interval 1 microsecond preceding
        ) as earlier_item_count_28d,
        fingerprints.is_open,
        fingerprints.occurred_at,
        fingerprints.known_at
    from fingerprints
    semi join open_fingerprints
        on
            fingerprints.fingerprint_kind = open_fingerprints.fingerprint_kind
            and fingerprints.fingerprint_hash = open_fingerprints.fingerprint_hash
),

final as (
    select
        counted.content_id,
        counted.creator_id,
        counted.fingerprint_kind,
        counted.fingerprint_hash,
        counted.earlier_item_count_28d,
        counted.occurred_at,
        counted.known_at
    from counted
    where counted.is_open
)

select * from final
