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

acts as (
    select
        engagement.content_id,
        content.creator_id,
        engagement.event_type,
        engagement.watch_ms,
        content.duration_ms,
        engagement.is_counted,
        engagement.is_counted and engagement.event_type = 'view' as is_view,
        engagement.watch_ms is not null as is_timed,
        coalesce(engagement.occurred_at < actions.actioned_at, true)
            as is_before_action,
        engagement.event_date,
        engagement.occurred_at
    from engagement
    inner join content on engagement.content_id = content.content_id
    left join actions
        on
            engagement.content_id = actions.content_id
            and engagement.event_date = actions.action_date
),

final as (
    select
        content_id,
        creator_id,
        count(*) filter (where event_type = 'impression') as impression_count,
        count(*) filter (where is_view) as view_count,
        count(*) filter (where is_view and is_before_action)
            as view_count_before_action,
        -- A view of unknown watch time was neither long nor broken off.
        count(*) filter (where is_view and is_timed) as timed_view_count,
        count(*) filter (
            where is_view and is_timed and duration_ms > 0
        ) as measurable_view_count,
        count(*) filter (where is_view and watch_ms < 3000) as short_play_count,
        count(*) filter (
            where is_view and duration_ms > 0 and watch_ms >= duration_ms
        ) as complete_play_count,
        count(*) filter (where is_counted and event_type = 'like') as like_count,
        count(*) filter (where is_counted and event_type = 'comment') as comment_count,
        count(*) filter (where is_counted and event_type = 'share') as share_count,
        count(*) filter (
            where is_counted and event_type = 'not_interested'
        ) as not_interested_count,
        cast(coalesce(sum(watch_ms) filter (where is_view), 0) as bigint) as watch_ms,
        event_date,
        min(occurred_at) as first_engaged_at,
        min(occurred_at) filter (where is_view) as first_viewed_at
    from acts
    group by content_id, creator_id, event_date
)

select * from final
