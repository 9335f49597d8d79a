{{ config(
    materialized='incremental',
    unique_key='content_id',
    on_schema_change='append_new_columns',
) }}

with fingerprints as (
    select * from {{ ref('int_content__fingerprinted') }}
    where
        known_at > {{ previous_as_of() }}
        or occurred_at > {{ previous_as_of() }} - interval 1 day
),

final as (
    select
        fingerprints.content_id,
        max(fingerprints.earlier_item_count_28d) filter (
            where fingerprints.fingerprint_kind = 'caption'
        ) as caption_count,
        max(fingerprints.earlier_item_count_28d) filter (
            where fingerprints.fingerprint_kind = 'audio'
        ) as audio_count,
        max(fingerprints.earlier_item_count_28d) filter (
            where fingerprints.fingerprint_kind = 'link'
        ) as link_count
    from fingerprints
    group by fingerprints.content_id
)

select * from final
