-- Of the accounts registered in a week, how many log in again, week after week?
--
-- Cohorts: an account belongs to the week of its sign-up (Monday). Its week 1 is the
-- seven days after the day of sign-up. An account is counted in a week only if all of
-- that week has been seen; the last day of the data may be cut short and is left out.
-- Reading: accounts fall along a row of the same cohort as weeks pass out of sight, so
-- compare rates, not counts. A log-in is any log-in event, of a person or not.
with events as (
    select * from {{ ref('fct_account_events') }}
),

sight as (
    select max(event_date) - 1 as last_date
    from events
),

sign_ups as (
    select
        account_id,
        min(event_date) as sign_up_date
    from events
    where is_sign_up and account_id is not null
    group by account_id
),

weeks as (
    select cast(numbers.generated as integer) as week_number
    from range(1, 13) as numbers (generated)
),

seen as (
    select
        sign_ups.account_id,
        weeks.week_number,
        cast(date_trunc('week', sign_ups.sign_up_date) as date) as cohort_date
    from sign_ups
    cross join weeks
    cross join sight
    where sign_ups.sign_up_date + 7 * weeks.week_number <= sight.last_date
),

log_ins as (
    select distinct
        sign_ups.account_id,
        (events.event_date - sign_ups.sign_up_date - 1) // 7 + 1 as week_number
    from events
    inner join sign_ups on events.account_id = sign_ups.account_id
    where
        events.event_type = 'log_in'
        and events.event_date > sign_ups.sign_up_date
),

final as (
    select
        seen.week_number,
        count(*) as account_count,
        count(log_ins.account_id) as retained_count,
        count(log_ins.account_id) / count(*) as retention_rate,
        seen.cohort_date
    from seen
    left join log_ins
        on
            seen.account_id = log_ins.account_id
            and seen.week_number = log_ins.week_number
    group by seen.cohort_date, seen.week_number
)

select * from final
order by cohort_date, week_number
