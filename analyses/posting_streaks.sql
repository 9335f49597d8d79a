-- How long do creators post day after day, and how long do they pause?
--
-- Gaps and islands: within a creator, a day less its rank among the posting days is the
-- same for all days of one unbroken streak.
-- Reading: a pause lies between two streaks; the time after the last streak is not a
-- pause, since it has not ended. Days are UTC, tier is as it is now.
with content as (
    select * from {{ ref('fct_content') }}
),

creators as (
    select * from {{ ref('dim_creators') }}
),

posting_days as (
    select distinct
        creator_id,
        upload_date
    from content
),

islands as (
    select
        creator_id,
        upload_date,
        upload_date - cast(
            row_number() over (partition by creator_id order by upload_date) as integer
        ) as island_date
    from posting_days
),

streaks as (
    select
        creator_id,
        island_date,
        min(upload_date) as first_date,
        max(upload_date) as last_date,
        count(*) as streak_days
    from islands
    group by creator_id, island_date
),

with_pauses as (
    select
        creator_id,
        streak_days,
        lead(first_date) over (partition by creator_id order by first_date)
        - last_date - 1 as pause_days
    from streaks
),

final as (
    select
        creators.tier,
        count(distinct with_pauses.creator_id) as creator_count,
        count(*) as streak_count,
        median(with_pauses.streak_days) as median_streak_days,
        max(with_pauses.streak_days) as longest_streak_days,
        median(with_pauses.pause_days) as median_pause_days,
        max(with_pauses.pause_days) as longest_pause_days
    from with_pauses
    inner join creators on with_pauses.creator_id = creators.creator_id
    group by creators.tier
)

select * from final
order by tier
