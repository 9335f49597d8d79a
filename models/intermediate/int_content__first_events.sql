with content as (
    {{ known_rows(ref('stg_raw__content')) }}
),

enforcements as (
    {{ known_rows(ref('stg_raw__enforcements')) }}
),

user_reports as (
    {{ known_rows(ref('stg_raw__user_reports')) }}
),

engagement as (
    select * from {{ ref('int_engagement__counted') }}
),

-- Only these two change what a viewer can see; a warning is not an answer to the item.
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

views as (
    select
        engagement.content_id,
        count(*) as view_count_total,
        count(*) filter (
            where engagement.occurred_at < actions.actioned_at
        ) as view_count_before_action,
        min(engagement.occurred_at) as viewed_at
    from engagement
    left join actions on engagement.content_id = actions.content_id
    where engagement.event_type = 'view' and engagement.is_counted
    group by engagement.content_id
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
