{{ config(
    materialized='incremental',
    on_schema_change='append_new_columns',
    meta={'touched': {'kind': 'acted_content_id', 'key': 'content_id'}},
) }}

with content as (
    {{ known_rows(
        ref('stg_raw__content'),
        is_touched_key('acted_content_id', 'content_id'),
    ) }}
),

enforcements as (
    {{ known_rows_of(
        ref('stg_raw__enforcements'),
        is_touched_key('acted_content_id', 'content_id'),
    ) }}
),

user_reports as (
    {{ known_rows_of(
        ref('stg_raw__user_reports'),
        is_touched_key('acted_content_id', 'target_id'),
    ) }}
),

content_days as (
    select * from {{ ref('int_content_days__counted') }}
    where {{ is_touched_key('acted_content_id', 'content_id') }}
),

-- What changes what a viewer can see, as in int_content_days__counted.
actions as (
    select
        enforcements.content_id,
        min(enforcements.occurred_at) as actioned_at,
        min(enforcements.occurred_at) filter (
            where enforcements.action = 'remove'
        ) as removed_at
    from enforcements
    where
        enforcements.content_id is not null
        and enforcements.action in ('remove', 'limit_reach')
    group by enforcements.content_id
),

reports as (
    select
        user_reports.target_id as content_id,
        min(user_reports.occurred_at) as reported_at
    from user_reports
    where user_reports.target_type = 'content'
    group by user_reports.target_id
),

-- Whole days before the action, and of its own day what came before it.
views as (
    select
        content_days.content_id,
        cast(sum(content_days.view_count) as bigint) as view_count_total,
        cast(sum(
            case
                when content_days.event_date < cast(actions.actioned_at as date)
                    then content_days.view_count
                when content_days.event_date = cast(actions.actioned_at as date)
                    then content_days.view_count_before_action
                else 0
            end
        ) as bigint) as view_count_before_action,
        min(content_days.first_viewed_at) as viewed_at
    from content_days
    left join actions on content_days.content_id = actions.content_id
    group by content_days.content_id
),

final as (
    select
        content.content_id,
        content.creator_id,
        coalesce(views.view_count_total, 0) as view_count_total,
        coalesce(views.view_count_before_action, 0) as view_count_before_action,
        content.occurred_at as uploaded_at,
        views.viewed_at,
        reports.reported_at,
        actions.actioned_at,
        actions.removed_at
    from content
    left join actions on content.content_id = actions.content_id
    left join reports on content.content_id = reports.content_id
    left join views on content.content_id = views.content_id
)

select * from final
