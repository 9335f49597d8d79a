with user_reports as (
    {{ known_rows(ref('stg_raw__user_reports')) }}
),

content as (
    {{ known_rows(ref('stg_raw__content')) }}
),

creators as (
    select * from {{ ref('dim_creators') }}
),

violating_content as (
    select * from {{ ref('int_violations__counted') }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

-- Keys of their own, because a join on anything but equal columns compares every pair.
reports as (
    select
        user_reports.user_report_id,
        user_reports.target_type,
        user_reports.reason,
        case
            when user_reports.target_type = 'content' then user_reports.target_id
        end as content_id,
        case
            when user_reports.target_type = 'account' then user_reports.target_id
        end as account_id,
        user_reports.occurred_at
    from user_reports
),

final as (
    select
        reports.user_report_id,
        content.content_id,
        coalesce(content.creator_id, creators.creator_id) as creator_id,
        reports.target_type,
        reports.reason,
        violating_content.content_id is not null as is_confirmed,
        reports.occurred_at < clock.mature_before_at as is_mature,
        cast(reports.occurred_at as date) as report_date
    from reports
    left join content on reports.content_id = content.content_id
    left join creators on reports.account_id = creators.creator_id
    left join violating_content on content.content_id = violating_content.content_id
    cross join clock
)

select * from final
