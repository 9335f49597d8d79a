{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['event_date', 'content_id'],
    on_schema_change='append_new_columns',
) }}

-- depends_on: {{ ref('int_build__touched_dates') }}
with content as (
    {{ known_rows(ref('stg_raw__content')) }}
),

enforcements as (
    {{ known_rows(ref('stg_raw__enforcements')) }}
),

-- The days of an item that are counted: of acts, of actions and of a change of it.
{% if adds_to_itself() %}
    days as (
        select
            content_id,
            event_date
        from {{ ref('int_engagement__counted') }}
        where
            delivered_date >= cast({{ previous_as_of() }} as date)
            or {{ is_backfilled('occurred_at') }}
        union
        select
            content_versions.content_id,
            touched_dates.event_date
        from {{ ref('stg_raw__content') }} as content_versions
        cross join {{ ref('int_build__touched_dates') }} as touched_dates
        where
            touched_dates.touches_items
            and (
                content_versions.ingested_at > {{ previous_as_of() }}
                or {{ is_backfilled('content_versions.occurred_at') }}
            )
        union
        select
            versions.content_id,
            cast(versions.occurred_at as date) as event_date
        from {{ ref('stg_raw__enforcements') }} as versions
        where
            versions.enforcement_id in (
                select delivered.enforcement_id
                from {{ ref('stg_raw__enforcements') }} as delivered
                where
                    delivered.ingested_at > {{ previous_as_of() }}
                    or {{ is_backfilled('delivered.occurred_at') }}
            )
    ),

    sums as (
        select sums.*
        from {{ ref('int_engagement__summed') }} as sums
        semi join days
            on
                sums.event_date = days.event_date
                and sums.content_id = days.content_id
        where sums.event_date >= (select min(asked.event_date) from days as asked)
    ),

    actions_asked as (
        select enforcements.*
        from enforcements
        semi join days
            on
                cast(enforcements.occurred_at as date) = days.event_date
                and enforcements.content_id = days.content_id
    ),
{% else %}
    sums as (
        select * from {{ ref('int_engagement__summed') }}
    ),

    actions_asked as (
        select * from enforcements
    ),
{% endif %}

-- Only these two change what a viewer can see; a warning is not an answer to the item.
actions as (
    select
        actions_asked.content_id,
        cast(actions_asked.occurred_at as date) as action_date,
        min(actions_asked.occurred_at) as actioned_at
    from actions_asked
    where actions_asked.action in ('remove', 'limit_reach')
    group by actions_asked.content_id, action_date
),

engagement as not materialized (
    select * from {{ ref('int_engagement__counted') }}
),

-- Single acts are read only of items on the day of an action. The days are said once
-- more, without the items, so that DuckDB opens only the blocks of these days.
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
    where engagement.event_date in (select acted.action_date from actions as acted)
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
