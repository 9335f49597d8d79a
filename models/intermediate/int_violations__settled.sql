-- Appeals count up to the moment itself and never later, so that settled at T is
-- `settled_at <= T` for any T up to the clock.
with violations as (
    {{ known_rows(ref('stg_raw__violations')) }}
),

appeals as (
    select * from {{ ref('int_appeals__dated') }}
),

policies as (
    select * from {{ ref('policies') }}
),

longest as (
    select max(policies.appeal_window_days) as appeal_window_days
    from policies
),

-- A policy that the seed does not list gets the longest window of those that it lists.
windows as (
    select
        violations.violation_id,
        greatest(
            violations.occurred_at + to_days(cast(coalesce(
                policies.appeal_window_days, longest.appeal_window_days
            ) as integer)),
            violations.ingested_at
        ) as closes_at
    from violations
    cross join longest
    left join policies on violations.policy_id = policies.policy_id
),

-- A withdrawn appeal decides nothing: the window runs on, and another may come in it.
answers as (
    select
        windows.violation_id,
        appeals.known_at,
        case
            when appeals.outcome = 'withdrawn'
                then greatest(appeals.decided_at, windows.closes_at)
            else appeals.decided_at
        end as answered_at
    from windows
    inner join appeals
        on
            windows.violation_id = appeals.violation_id
            and windows.closes_at >= appeals.known_at
),

-- The first answer at which no other appeal is known and still open. An appeal that
-- becomes known after it can reverse the violation, but does not unsettle it.
settled as (
    select
        answers.violation_id,
        min(answers.answered_at) filter (where still_open.violation_id is null)
            as settled_at
    from answers
    left join answers as still_open
        on
            answers.violation_id = still_open.violation_id
            and answers.answered_at >= still_open.known_at
            and answers.answered_at < coalesce(
                still_open.answered_at, timestamp 'infinity'
            )
    group by answers.violation_id
),

final as (
    select
        windows.violation_id,
        case
            when settled.violation_id is null then windows.closes_at
            else settled.settled_at
        end as settled_at
    from windows
    left join settled on windows.violation_id = settled.violation_id
)

select * from final
