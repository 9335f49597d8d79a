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
    where {{ is_made_now(ref('fct_creator_days')) }}
),

decisions as (
    select
        violations.content_id,
        count(*) as decision_count
    from violations
    inner join clock on violations.ingested_at <= clock.as_of_at
    group by violations.content_id
),

posts as (
    select
        content.creator_id,
        cast(content.occurred_at as date) as post_date,
        coalesce(decisions.decision_count, 0) as decision_count
    from content
    inner join clock on content.ingested_at <= clock.as_of_at
    left join decisions on content.content_id = decisions.content_id
),

staged as (
    select
        creator_days.creator_day_id,
        count(posts.creator_id) as post_count,
        coalesce(sum(posts.decision_count), 0) as decision_count
    from creator_days
    left join posts
        on
            creator_days.creator_id = posts.creator_id
            and posts.post_date
            between creator_days.status_date - 27 and creator_days.status_date
    group by creator_days.creator_day_id
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
