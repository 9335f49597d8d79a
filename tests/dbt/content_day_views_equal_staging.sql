-- No view is lost or counted twice between staging and fct_content_days.
with clock as (
    select * from {{ ref('int_build__clock') }}
),

engagement as (
    select * from {{ ref('stg_raw__engagement') }}
),

content_days as (
    select * from {{ ref('fct_content_days') }}
),

totals as (
    select
        (
            select count(distinct engagement.engagement_id)
            from engagement
            inner join clock on engagement.ingested_at <= clock.as_of_at
            where
                engagement.event_type = 'view'
                and not engagement.is_owner
                and not engagement.is_ad
        ) as staged_view_count,
        (select coalesce(sum(view_count), 0) from content_days) as view_count
),

final as (
    select * from totals
    where staged_view_count != view_count
)

select * from final
