with enforcements as (
    {{ known_rows(ref('stg_raw__enforcements')) }}
),

appeals as (
    select * from {{ ref('int_appeals__dated') }}
),

violations as (
    select * from {{ ref('int_violations__judged') }}
),

policies as (
    select * from {{ ref('policies') }}
),

creator_status as (
    select * from {{ ref('int_creator_status__dated') }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

appeals_by_action as (
    select
        enforcement_id,
        bool_or(outcome in ('upheld', 'overturned', 'partial')) as is_decided,
        bool_or(outcome in ('overturned', 'partial')) as is_overturned
    from appeals
    group by enforcement_id
),

-- A state that begins with the action is its effect, not what the action met.
final as (
    select
        enforcements.enforcement_id,
        enforcements.creator_id,
        enforcements.content_id,
        violations.policy_id,
        enforcements.action,
        enforcements.decision_source,
        coalesce(creator_status.tier, 'unknown') as tier_at_event,
        coalesce(creator_status.status, 'unknown') as status_at_event,
        appeals_by_action.enforcement_id is not null as is_appealed,
        coalesce(appeals_by_action.is_decided, false) as is_appeal_decided,
        coalesce(appeals_by_action.is_overturned, false) as is_overturned,
        appeals_by_action.enforcement_id is null
        and coalesce(
            enforcements.restored_at <= clock.as_of_at, false
        ) as is_restored_without_appeal,
        enforcements.occurred_at
        + to_days(cast(coalesce(
            policies.label_maturity_days + policies.appeal_window_days,
            clock.maturity_days
        ) as integer)) <= clock.as_of_at as is_mature,
        cast(enforcements.occurred_at as date) as action_date
    from enforcements
    left join appeals_by_action
        on enforcements.enforcement_id = appeals_by_action.enforcement_id
    left join violations on enforcements.violation_id = violations.violation_id
    left join policies on violations.policy_id = policies.policy_id
    left join creator_status
        on
            enforcements.creator_id = creator_status.creator_id
            and enforcements.occurred_at > creator_status.valid_from_at
            and enforcements.occurred_at <= coalesce(
                creator_status.valid_until_at, timestamp 'infinity'
            )
    cross join clock
)

select * from final
