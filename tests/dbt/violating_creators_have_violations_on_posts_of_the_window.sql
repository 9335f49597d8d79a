-- No creator is called violating without decisions on posts of the 28 days, and no
-- post is counted twice: both are counted again straight from staging.
with clock as (
    select * from {{ ref('int_build__clock') }}
),

content as (
    select * from {{ ref('stg_raw__content') }}
),

violations as (
    select * from {{ ref('stg_raw__violations') }}
),

creator_days as (
    select * from {{ ref('fct_creator_days') }}
),

decisions as (
    select
        violations.content_id,
        count(*) as decision_count
    from violations
    inner join clock on violations.ingested_at <= clock.as_of_at
    group by violations.content_id
),

post_days as (
    select
        content.creator_id,
        cast(content.occurred_at as date) as post_date,
        count(*) as post_count,
        coalesce(sum(decisions.decision_count), 0) as decision_count
    from content
    inner join clock on content.ingested_at <= clock.as_of_at
    left join decisions on content.content_id = decisions.content_id
    group by content.creator_id, post_date
),

so_far as (
    select
        creator_id,
        post_date,
        sum(post_count) over (
            partition by creator_id order by post_date
        ) as post_count,
        sum(decision_count) over (
            partition by creator_id order by post_date
        ) as decision_count
    from post_days
),

-- Posts up to the day, less those up to 28 days before it.
staged as (
    select
        creator_days.creator_day_id,
        coalesce(until.post_count, 0) - coalesce(before.post_count, 0) as post_count,
        coalesce(until.decision_count, 0) - coalesce(before.decision_count, 0)
            as decision_count
    from creator_days
    asof left join so_far as until
        on
            creator_days.creator_id = until.creator_id
            and creator_days.status_date >= until.post_date
    asof left join so_far as before
        on
            creator_days.creator_id = before.creator_id
            and creator_days.status_date - 28 >= before.post_date
),

final as (
    select creator_days.creator_day_id
    from creator_days
    inner join staged on creator_days.creator_day_id = staged.creator_day_id
    where
        creator_days.post_count_28d != staged.post_count
        or creator_days.violation_count_28d > staged.decision_count
        or (creator_days.is_violating and staged.decision_count = 0)
)

select * from final
