{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='event_date',
    on_schema_change='append_new_columns',
) }}

with content as (
    {{ known_rows(ref('stg_raw__content')) }}
),

enforcements as (
    {{ known_rows(ref('stg_raw__enforcements')) }}
),

engagement as (
    select * from {{ ref('int_engagement__counted') }}
    where {{ is_touched('event_date') }}
),

sums as (
    select * from {{ ref('int_engagement__summed') }}
    where {{ is_touched('event_date') }}
),

-- Only these two change what a viewer can see; a warning is not an answer to the item.
actions as (
    select
        enforcements.content_id,
        cast(enforcements.occurred_at as date) as action_date,
        min(enforcements.occurred_at) as actioned_at
    from enforcements
    where enforcements.action in ('remove', 'limit_reach')
    group by enforcements.content_id, action_date
),

-- Single acts are read only of items on the day of an action.
before_actions as (
    select
        engagement.content_id,
        engagement.event_date,
        count(*) filter (
            where engagement.is_counted
            and engagement.event_type = 'view'
            and engagement.occurred_at < actions.actioned_at
        ) as view_count
    from engagement
    inner join actions
        on
            engagement.content_id = actions.content_id
            and engagement.event_date = actions.action_date
    group by engagement.content_id, engagement.event_date
),

totals as (
    select
        content_id,
        cast(sum(shown_count) as bigint) as impression_count,
        cast(sum(view_count) as bigint) as view_count,
        cast(sum(timed_view_count) as bigint) as timed_view_count,
        cast(sum(measurable_view_count) as bigint) as measurable_view_count,
        cast(sum(short_play_count) as bigint) as short_play_count,
        cast(sum(complete_play_count) as bigint) as complete_play_count,
        cast(sum(like_count) as bigint) as like_count,
        cast(sum(comment_count) as bigint) as comment_count,
        cast(sum(share_count) as bigint) as share_count,
        cast(sum(not_interested_count) as bigint) as not_interested_count,
        cast(sum(watch_ms) as bigint) as watch_ms,
        event_date,
        min(first_engaged_at) as first_engaged_at,
        min(first_viewed_at) as first_viewed_at
    from sums
    group by content_id, event_date
),

final as (
    select
        totals.content_id,
        content.creator_id,
        totals.impression_count,
        totals.view_count,
        coalesce(before_actions.view_count, totals.view_count)
            as view_count_before_action,
        totals.timed_view_count,
        totals.measurable_view_count,
        totals.short_play_count,
        totals.complete_play_count,
        totals.like_count,
        totals.comment_count,
        totals.share_count,
        totals.not_interested_count,
        totals.watch_ms,
        totals.event_date,
        totals.first_engaged_at,
        totals.first_viewed_at
    from totals
    inner join content on totals.content_id = content.content_id
    left join before_actions
        on
            totals.content_id = before_actions.content_id
            and totals.event_date = before_actions.event_date
)

select * from final
