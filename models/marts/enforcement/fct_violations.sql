with violations as (
    select * from {{ ref('int_violations__judged') }}
),

final as (
    select
        violations.violation_id,
        violations.creator_id,
        violations.content_id,
        violations.policy_id,
        violations.detected_by,
        violations.policy_version,
        violations.is_upheld,
        violations.is_mature,
        cast(violations.occurred_at as date) as violation_date
    from violations
)

select * from final
