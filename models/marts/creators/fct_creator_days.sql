{{ config(
    materialized='incremental',
    on_schema_change='append_new_columns',
    pre_hook='{{ begin_creator_days() }}',
    meta={'touched': {'kind': 'creator_id', 'key': 'creator_id', 'date': 'status_date'}},
) }}

with creator_posts as (
    select
        *,
        {{ first_day_made_again('creator_id') }} as made_from_date
    from {{ ref('int_creator_posts__daily') }}
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

-- An activity counts on its own day and the 27 days after it: one more from that day
-- on, one fewer from the 28th after it. Added up, these are the windows of all days
-- without listing each activity on each of its days.
changes as (
    select
        creator_posts.creator_id,
        creator_posts.made_from_date,
        unnest([1, -1]) as activity_gain,
        unnest([creator_posts.post_count, -creator_posts.post_count]) as post_gain,
        unnest([creator_posts.violation_count, -creator_posts.violation_count])
            as violation_gain,
        unnest([creator_posts.activity_date, creator_posts.activity_date + 28])
            as changed_date
    from creator_posts
    where creator_posts.activity_date > creator_posts.made_from_date - 28
),

change_days as (
    select
        changes.creator_id,
        changes.made_from_date,
        sum(changes.activity_gain) as activity_gain,
        sum(changes.post_gain) as post_gain,
        sum(changes.violation_gain) as violation_gain,
        changes.changed_date
    from changes
    group by changes.creator_id, changes.made_from_date, changes.changed_date
),

stretches as (
    select
        change_days.creator_id,
        sum(change_days.activity_gain) over windows as activity_count,
        sum(change_days.post_gain) over windows as post_count,
        sum(change_days.violation_gain) over windows as violation_count,
        greatest(change_days.changed_date, change_days.made_from_date) as first_date,
        lead(change_days.changed_date) over windows - 1 as last_date
    from change_days
    window windows as (
        partition by change_days.creator_id order by change_days.changed_date
    )
),

totals as (
    select
        stretches.creator_id,
        cast(stretches.post_count as bigint) as post_count_28d,
        cast(stretches.violation_count as bigint) as violation_count_28d,
        -- A day belongs to the past once it has begun.
        cast(unnest(generate_series(
            stretches.first_date,
            least(
                stretches.last_date,
                cast(clock.as_of_at - interval 1 microsecond as date)
            ),
            interval 1 day
        )) as date) as status_date
    from stretches
    cross join clock
    where stretches.activity_count > 0
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
