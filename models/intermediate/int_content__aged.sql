{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='content_id',
    on_schema_change='append_new_columns',
) }}

with sums as (
    select * from {{ ref('int_engagement__summed') }}
    where
        age_days > 0
        and counted_count > 0
        and known_by_at > {{ previous_as_of() }} - interval 29 day
),

comments as (
    select * from {{ ref('int_comments__aged') }}
),

user_reports as (
    {{ first_known_rows(ref('stg_raw__user_reports')) }}
),

content as (
    {{ first_known_rows(ref('stg_raw__content')) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

items as (
    select
        content.content_id,
        content.occurred_at
    from content
    where {{ comes_of_age('content.occurred_at', 'content.ingested_at') }}
),

steps as (
    select
        sums.content_id,
        sums.age_days,
        sums.impression_count,
        sums.view_count,
        sums.like_count,
        sums.comment_count,
        sums.share_count,
        sums.not_interested_count,
        0 as text_count,
        0 as new_text_count,
        0 as report_count
    from sums
    union all
    select
        comments.content_id,
        comments.age_days,
        0 as impression_count,
        0 as view_count,
        0 as like_count,
        0 as comment_count,
        0 as share_count,
        0 as not_interested_count,
        comments.text_count,
        cast(comments.is_new as integer) as new_text_count,
        0 as report_count
    from comments
    union all
    select
        user_reports.target_id as content_id,
        {{ first_age('items.occurred_at', 'user_reports.ingested_at') }} as age_days,
        0 as impression_count,
        0 as view_count,
        0 as like_count,
        0 as comment_count,
        0 as share_count,
        0 as not_interested_count,
        0 as text_count,
        0 as new_text_count,
        1 as report_count
    from user_reports
    inner join items on user_reports.target_id = items.content_id
    where
        user_reports.target_type = 'content'
        and user_reports.ingested_at <= items.occurred_at + interval 28 day
),

final as (
    select
        steps.content_id,
        steps.age_days,
        cast(sum(steps.impression_count) as bigint) as impression_count,
        cast(sum(steps.view_count) as bigint) as view_count,
        cast(sum(steps.like_count) as bigint) as like_count,
        cast(sum(steps.comment_count) as bigint) as comment_count,
        cast(sum(steps.share_count) as bigint) as share_count,
        cast(sum(steps.not_interested_count) as bigint) as not_interested_count,
        cast(sum(steps.text_count) as bigint) as text_count,
        cast(sum(steps.new_text_count) as bigint) as new_text_count,
        cast(sum(steps.report_count) as bigint) as report_count
    from steps
    inner join items on steps.content_id = items.content_id
    inner join clock
        on items.occurred_at + to_days(steps.age_days) <= clock.as_of_at
    group by steps.content_id, steps.age_days
)

select * from final
