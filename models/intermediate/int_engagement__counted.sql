{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['event_date', 'engagement_id'],
    on_schema_change='append_new_columns',
    pre_hook='{{ forget_acts_made_again() }}',
    meta={'replaced_by': 'ingested_at <= {{ previous_as_of() }}'},
) }}

-- depends_on: {{ ref('int_build__touched_dates') }}
-- The one model that reads acts from the raw set. Not materialized: there are too many
-- to be kept a second time while they are read.
with clock as (
    select * from {{ ref('int_build__clock') }}
),

engagement as not materialized (
    select
        stg_raw__engagement.engagement_id,
        stg_raw__engagement.viewer_id,
        stg_raw__engagement.content_id,
        stg_raw__engagement.event_type,
        stg_raw__engagement.watch_ms,
        -- The one place that says which acts count. Owner and ad traffic says nothing
        -- about what viewers want.
        not stg_raw__engagement.is_owner
        and not stg_raw__engagement.is_ad as is_counted,
        cast(stg_raw__engagement.occurred_at as date) as event_date,
        cast(stg_raw__engagement.ingested_at as date) as delivered_date,
        stg_raw__engagement.occurred_at,
        stg_raw__engagement.ingested_at
    from {{ ref('stg_raw__engagement') }} as stg_raw__engagement
    where
        stg_raw__engagement.ingested_at <= (select clock.as_of_at from clock)
        and (
            stg_raw__engagement.ingested_at > {{ previous_as_of() }}
            or {{ is_backfilled('stg_raw__engagement.occurred_at') }}
        )
),

-- Few acts are delivered twice, and to find them by a number of 8 bytes is cheap. Two
-- acts of the same number do no harm: below, ids are compared.
repeated as materialized (
    select hash(engagement.engagement_id) as id_number
    from engagement
    group by id_number
    having count(*) > 1
),

delivered_once as not materialized (
    select engagement.*
    from engagement
    anti join repeated on hash(engagement.engagement_id) = repeated.id_number
),

-- The newest version counts, and is known since the first. All are of the same moment.
delivered_again as (
    select
        engagement.* replace (
            min(engagement.ingested_at) over (
                partition by engagement.event_date, engagement.engagement_id
            ) as ingested_at
        )
    from engagement
    semi join repeated on hash(engagement.engagement_id) = repeated.id_number
    qualify
        row_number() over (
            partition by engagement.event_date, engagement.engagement_id
            order by engagement.ingested_at desc
        ) = 1
),

acts as not materialized (
    select * from delivered_once
    union all
    select * from delivered_again
),

-- An act of which a version is there already is known since then. It stays with its
-- item: sums and days of another item than the new one would not be made again.
{% if adds_to_itself() %}
    late as (
        select
            acts.event_date,
            acts.engagement_id
        from acts
        where acts.occurred_at <= {{ previous_as_of() }}
    ),

    known_before as (
        select
            made.event_date,
            made.engagement_id,
            made.content_id,
            made.ingested_at
        from {{ this }} as made
        semi join late
            on
                made.event_date = late.event_date
                and made.engagement_id = late.engagement_id
    ),

    final as (
        select
            acts.* replace (
                case
                    when known_before.content_id != acts.content_id
                        then error(
                            'act ' || acts.engagement_id || ' of item '
                            || known_before.content_id || ' is delivered again as of '
                            || acts.content_id || ': build with --full-refresh'
                        )
                    else acts.content_id
                end as content_id,
                coalesce(known_before.ingested_at, acts.ingested_at) as ingested_at
            )
        from acts
        left join known_before
            on
                acts.event_date = known_before.event_date
                and acts.engagement_id = known_before.engagement_id
    )
{% else %}
    final as (
        select * from acts
    )
{% endif %}

select * from final
