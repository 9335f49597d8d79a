-- On which days were registrations far from what that weekday had been before?
--
-- Robust z: the day less the median of up to 8 same weekdays before it, over their
-- spread: 1.4826 times the median absolute deviation, and at least the root of the
-- median, which is the noise of counting, and at least 1. The day itself is never in
-- its baseline. Days with under 4 such weekdays before them are not judged. The last
-- day may be cut short and is left out.
-- Reading: beyond 3.5 either way is far. Sale days are marked, since a peak on one is
-- expected. Blocked attempts stand beside: a fall of them with a rise of registrations
-- can be enforcement that moved, not an attack.
with events as (
    select * from {{ ref('fct_account_events') }}
),

dates as (
    select * from {{ ref('dim_dates') }}
),

campaigns as (
    select * from {{ ref('campaign_calendar') }}
),

daily as (
    select
        event_date,
        count_if(is_sign_up) as registration_count,
        count_if(is_sign_up_blocked) as blocked_count
    from events
    group by event_date
),

sight as (
    select
        min(event_date) as first_date,
        max(event_date) - 1 as last_date
    from daily
),

filled as (
    select
        coalesce(daily.registration_count, 0) as registration_count,
        coalesce(daily.blocked_count, 0) as blocked_count,
        dates.date_day as event_date
    from dates
    inner join sight on dates.date_day between sight.first_date and sight.last_date
    left join daily on dates.date_day = daily.event_date
),

compared as (
    select
        event_date,
        registration_count,
        blocked_count,
        list(registration_count) over weekdays_before as before_counts
    from filled
    window weekdays_before as (
        partition by isodow(event_date) order by event_date
        rows between 8 preceding and 1 preceding
    )
),

baselines as (
    select
        event_date,
        registration_count,
        blocked_count,
        before_counts,
        list_median(before_counts) as baseline_count
    from compared
    where len(before_counts) >= 4
),

spreads as (
    select
        event_date,
        registration_count,
        blocked_count,
        baseline_count,
        greatest(
            1.4826 * list_median(
                list_transform(before_counts, lambda each: abs(each - baseline_count))
            ),
            sqrt(baseline_count),
            1
        ) as spread
    from baselines
),

sale_days as (
    select distinct dates.date_day
    from dates
    inner join campaigns
        on dates.date_day between campaigns.start_date and campaigns.end_date
),

final as (
    select
        spreads.registration_count,
        spreads.blocked_count,
        spreads.baseline_count,
        (spreads.registration_count - spreads.baseline_count)
        / spreads.spread as robust_z,
        abs(spreads.registration_count - spreads.baseline_count)
        > 3.5 * spreads.spread as is_far,
        sale_days.date_day is not null as is_sale_day,
        spreads.event_date
    from spreads
    left join sale_days on spreads.event_date = sale_days.date_day
)

select * from final
order by event_date
