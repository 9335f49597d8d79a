with violations as (
    {{ known_rows(ref('stg_raw__violations')) }}
),

violations_dated as (
    select * from {{ ref('int_violations__dated') }}
),

policies as (
    select * from {{ ref('policies') }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

final as (
    select
        violations.violation_id,
        violations.creator_id,
        violations.content_id,
        violations.policy_id,
        violations.detected_by,
        violations.policy_version,
        violations_dated.upheld_at is not null
        and violations_dated.reversed_at is null as is_upheld,
        violations.occurred_at
        + to_days(cast(coalesce(
            policies.label_maturity_days + policies.appeal_window_days,
            clock.maturity_days
        ) as integer)) <= clock.as_of_at as is_mature,
        violations.occurred_at
    from violations
    left join violations_dated
        on violations.violation_id = violations_dated.violation_id
    left join policies on violations.policy_id = policies.policy_id
    cross join clock
)

select * from final
