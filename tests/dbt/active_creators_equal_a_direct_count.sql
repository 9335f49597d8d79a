-- On the last day, the creators of fct_creator_days are those with a post or LIVE in
-- the 28 days that end with it, counted straight from staging.
with clock as (
    select * from {{ ref('int_build__clock') }}
),

content as (
    select * from {{ ref('stg_raw__content') }}
),

live_sessions as (
    select * from {{ ref('stg_raw__live_sessions') }}
),

creator_days as (
    select * from {{ ref('fct_creator_days') }}
),

last_day as (
    select max(status_date) as status_date from creator_days
),

activities as (
    select
        creator_id,
        occurred_at,
        ingested_at
    from content
    union all
    select
        creator_id,
        occurred_at,
        ingested_at
    from live_sessions
),

direct as (
    select distinct activities.creator_id
    from activities
    cross join clock
    cross join last_day
    where
        activities.ingested_at <= clock.as_of_at
        and cast(activities.occurred_at as date)
        between last_day.status_date - 27 and last_day.status_date
),

counted as (
    select creator_days.creator_id
    from creator_days
    inner join last_day on creator_days.status_date = last_day.status_date
),

final as (
    select coalesce(direct.creator_id, counted.creator_id) as creator_id
    from direct
    full outer join counted on direct.creator_id = counted.creator_id
    where direct.creator_id is null or counted.creator_id is null
)

select * from final
