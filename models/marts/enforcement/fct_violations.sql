with violations as (
    select * from {{ ref('int_violations__judged') }}
),

creator_status as (
    select * from {{ ref('int_creator_status__dated') }}
),

-- A state that begins with the decision is its effect, not what the decision met.
final as (
    select
        violations.violation_id,
        violations.creator_id,
        violations.content_id,
        violations.policy_id,
        violations.detected_by,
        coalesce(creator_status.tier, 'unknown') as tier_at_event,
        violations.policy_version,
        violations.is_upheld,
        violations.is_mature,
        cast(violations.occurred_at as date) as violation_date
    from violations
    left join creator_status
        on
            violations.creator_id = creator_status.creator_id
            and violations.occurred_at > creator_status.valid_from_at
            and violations.occurred_at <= coalesce(
                creator_status.valid_until_at, timestamp 'infinity'
            )
)

select * from final
