{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='as_of_at',
    on_schema_change='append_new_columns',
) }}

with engagement as (
    select * from {{ ref('int_engagement__counted') }}
    where occurred_at > date_trunc('day', {{ previous_as_of() }})
),

account_events as (
    {{ first_known_rows(
        ref('stg_raw__account_events'), 'occurred_at > ' ~ previous_as_of() ~ ' - interval 1 day'
    ) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

-- Added up by hour first: all that follows reads far fewer rows than there are acts.
hours as (
    select
        engagement.viewer_id as account_id,
        {{ midnight_from('engagement.occurred_at') }} as as_of_at,
        extract(hour from engagement.occurred_at) as engagement_hour,
        count(*) as engagement_count
    from engagement
    where engagement.ingested_at <= {{ midnight_from('engagement.occurred_at') }}
    group by engagement.viewer_id, as_of_at, engagement_hour
),

-- Rounded: the order in which threads add up must not show. Nor a hair below 0.
engagement_days as (
    select
        hours.account_id,
        hours.as_of_at,
        0 as log_in_count,
        sum(hours.engagement_count) as engagement_count,
        greatest(0, round(
            ln(sum(hours.engagement_count))
            - sum(hours.engagement_count * ln(hours.engagement_count))
            / sum(hours.engagement_count),
            6
        )) as engagement_hour_entropy
    from hours
    group by hours.account_id, hours.as_of_at
),

event_days as (
    select
        account_events.account_id,
        {{ midnight_from('account_events.occurred_at') }} as as_of_at,
        count(*) filter (where account_events.event_type = 'log_in') as log_in_count,
        0 as engagement_count,
        cast(null as double) as engagement_hour_entropy
    from account_events
    where
        account_events.account_id is not null
        and account_events.event_type in ('sign_up', 'log_in')
        and account_events.ingested_at
        <= {{ midnight_from('account_events.occurred_at') }}
    group by account_events.account_id, as_of_at
),

days as (
    select * from engagement_days
    union all
    select * from event_days
),

final as (
    select
        days.account_id,
        cast(sum(days.log_in_count) as bigint) as log_in_count,
        cast(sum(days.engagement_count) as bigint) as engagement_count,
        max(days.engagement_hour_entropy) as engagement_hour_entropy,
        days.as_of_at
    from days
    inner join clock on days.as_of_at <= clock.as_of_at
    where days.as_of_at > {{ previous_as_of() }}
    group by days.account_id, days.as_of_at
)

select * from final
