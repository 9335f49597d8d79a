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

final as (
    select
        user_reports.user_report_id,
        content.content_id,
        coalesce(content.creator_id, creators.creator_id) as creator_id,
        user_reports.target_type,
        user_reports.reason,
        violating_content.content_id is not null as is_confirmed,
        user_reports.occurred_at < clock.mature_before_at as is_mature,
        cast(user_reports.occurred_at as date) as report_date
    from user_reports
    left join content
        on
            user_reports.target_type = 'content'
            and user_reports.target_id = content.content_id
    left join creators
        on
            user_reports.target_type = 'account'
            and user_reports.target_id = creators.creator_id
    left join violating_content on content.content_id = violating_content.content_id
    cross join clock
)

select * from final
