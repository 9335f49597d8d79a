-- Every moment here rests on rows and moments not later than itself, so that known at T
-- is `<= T` for any T up to the clock: labels of the past come from the same table.
with violations as (
    {{ known_rows(ref('stg_raw__violations')) }}
),

enforcements as (
    {{ known_rows(ref('stg_raw__enforcements')) }}
),

content as (
    {{ known_rows(ref('stg_raw__content')) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
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

-- An appeal known within the window holds the violation open until it is decided.
settled as (
    select
        windows.violation_id,
        case
            when count(appeals.violation_id) = 0 then max(windows.closes_at)
            when count(appeals.violation_id) = count(appeals.decided_at)
                then max(appeals.decided_at)
        end as settled_at
    from windows
    left join appeals
        on
            windows.violation_id = appeals.violation_id
            and windows.closes_at >= appeals.known_at
    group by windows.violation_id
),

reversals as (
    select
        appeals.violation_id,
        appeals.decided_at as reversed_at
    from appeals
    where appeals.outcome in ('overturned', 'partial')
    union all
    select
        enforcements.violation_id,
        greatest(enforcements.restored_at, enforcements.ingested_at) as reversed_at
    from enforcements
    inner join clock on enforcements.restored_at <= clock.as_of_at
),

reversed as (
    select
        reversals.violation_id,
        min(reversals.reversed_at) as reversed_at
    from reversals
    group by reversals.violation_id
),

final as (
    select
        violations.violation_id,
        violations.creator_id,
        violations.content_id,
        violations.policy_id,
        content.occurred_at as posted_at,
        violations.occurred_at,
        violations.ingested_at as known_at,
        case
            when
                settled.settled_at <= clock.as_of_at
                and coalesce(reversed.reversed_at > settled.settled_at, true)
                then settled.settled_at
        end as upheld_at,
        reversed.reversed_at
    from violations
    inner join settled on violations.violation_id = settled.violation_id
    left join reversed on violations.violation_id = reversed.violation_id
    left join content on violations.content_id = content.content_id
    cross join clock
)

select * from final
