-- Of the creators with an upheld violation, how many break the same policy again soon?
--
-- Mature cohorts: a creator counts under a window only if all of it lies before the
-- last day whose violations are mature, so that nobody is called reformed for want of
-- time. The window starts the day after the first violation.
-- Reading: the windows have different cohorts, so the rates need not rise from 30 to 90
-- days. waiting_count is who cannot be judged yet. First means first in this data.
with violations as (
    select * from {{ ref('fct_violations') }}
),

sight as (
    select max(violation_date) as last_mature_date
    from violations
    where is_mature
),

upheld as (
    select distinct
        creator_id,
        policy_id,
        violation_date
    from violations
    where is_upheld
),

ranked as (
    select
        creator_id,
        policy_id,
        violation_date as first_date,
        lead(violation_date) over later_violations as second_date,
        row_number() over later_violations as place
    from upheld
    window later_violations as (
        partition by creator_id, policy_id order by violation_date
    )
),

windows as (
    select unnest([30, 60, 90]) as window_days
),

judged as (
    select
        ranked.policy_id,
        windows.window_days,
        ranked.first_date + windows.window_days
        <= sight.last_mature_date as is_whole_window,
        coalesce(
            ranked.second_date <= ranked.first_date + windows.window_days, false
        ) as is_repeated
    from ranked
    cross join windows
    cross join sight
    where ranked.place = 1
),

final as (
    select
        policy_id,
        window_days,
        count_if(is_whole_window) as creator_count,
        count_if(is_whole_window and is_repeated) as repeated_count,
        count_if(not is_whole_window) as waiting_count,
        count_if(is_whole_window and is_repeated)
        / nullif(count_if(is_whole_window), 0) as repeat_rate
    from judged
    group by policy_id, window_days
)

select * from final
order by policy_id, window_days
