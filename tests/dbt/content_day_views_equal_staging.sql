-- No view is lost or counted twice between staging and fct_content_days, on any day.
with clock as (
    select * from {{ ref('int_build__clock') }}
),

touched_dates as (
    select * from {{ ref('int_build__touched_dates') }}
),

engagement as (
    select * from {{ ref('stg_raw__engagement') }}
    where
        event_type = 'view'
        and not is_owner
        and not is_ad
        and ingested_at <= (select clock.as_of_at from clock)
        and ingested_at >= (select min(touched_dates.event_date) from touched_dates)
        and {{ is_tested('cast(occurred_at as date)') }}
),

content_days as (
    select * from {{ ref('fct_content_days') }}
    where {{ is_tested('engagement_date') }}
),

staged as (
    select
        cast(engagement.occurred_at as date) as engagement_date,
        -- By a number of 8 bytes, which is cheap: two acts of the same number would fail
        -- the test, not pass it.
        count(distinct hash(engagement.engagement_id)) as view_count
    from engagement
    group by engagement_date
),

counted as (
    select
        content_days.engagement_date,
        sum(content_days.view_count) as view_count
    from content_days
    group by content_days.engagement_date
),

final as (
    select
        coalesce(staged.engagement_date, counted.engagement_date) as engagement_date,
        coalesce(staged.view_count, 0) as staged_view_count,
        coalesce(counted.view_count, 0) as view_count
    from staged
    full outer join counted on staged.engagement_date = counted.engagement_date
    where coalesce(staged.view_count, 0) != coalesce(counted.view_count, 0)
)

select * from final
