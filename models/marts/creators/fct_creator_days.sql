with creator_posts as (
    select * from {{ ref('int_creator_posts__daily') }}
),

creator_status as (
    select * from {{ ref('int_creator_status__dated') }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

-- Counted from the day on which it became known: an old upload that arrives late must
-- not open windows of which the rest was never delivered.
first_days as (
    select cast(min(creator_posts.known_at) as date) as first_date
    from creator_posts
),

offsets as (
    select cast(days.generated as integer) as day_offset
    from range(28) as days (generated)
),

-- An activity counts on its own day and the 27 days after it.
windowed as (
    select
        creator_posts.creator_id,
        creator_posts.post_count,
        creator_posts.violation_count,
        cast(creator_posts.activity_date + offsets.day_offset as date) as status_date
    from creator_posts
    cross join offsets
),

totals as (
    select
        windowed.creator_id,
        windowed.status_date,
        cast(sum(windowed.post_count) as bigint) as post_count_28d,
        cast(sum(windowed.violation_count) as bigint) as violation_count_28d
    from windowed
    -- A day belongs to the past once it has begun.
    inner join clock on windowed.status_date < clock.as_of_at
    group by windowed.creator_id, windowed.status_date
),

-- The state in which the day ended: the last one that began before its end.
final as (
    select
        totals.creator_id || '|' || cast(totals.status_date as varchar)
            as creator_day_id,
        totals.creator_id,
        coalesce(creator_status.tier, 'unknown') as tier_at_event,
        totals.post_count_28d,
        totals.violation_count_28d,
        totals.violation_count_28d > 0 as is_violating,
        true as is_authentic,
        totals.status_date - 27 >= first_days.first_date as is_whole_window,
        totals.status_date + to_days(1) <= clock.mature_before_at as is_mature,
        totals.status_date
    from totals
    left join creator_status
        on
            totals.creator_id = creator_status.creator_id
            and totals.status_date + to_days(1) > creator_status.valid_from_at
            and totals.status_date + to_days(1) <= coalesce(
                creator_status.valid_until_at, timestamp 'infinity'
            )
    cross join first_days
    cross join clock
)

select * from final
