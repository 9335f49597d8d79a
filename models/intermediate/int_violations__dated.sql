-- Every moment here rests on rows and moments not later than itself, so that known at T
-- is `<= T` for any T up to the clock: labels of the past come from the same table.
with violations as (
    {{ known_rows(ref('stg_raw__violations')) }}
),

enforcements as (
    {{ known_rows(ref('stg_raw__enforcements')) }}
),

enforcement_versions as (
    {{ known_versions(ref('stg_raw__enforcements')) }}
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

settled as (
    select * from {{ ref('int_violations__settled') }}
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
        greatest(enforcements.restored_at, enforcement_versions.ingested_at)
            as reversed_at
    from enforcements
    inner join clock on enforcements.restored_at <= clock.as_of_at
    inner join enforcement_versions
        on
            enforcements.enforcement_id = enforcement_versions.enforcement_id
            and enforcements.restored_at = enforcement_versions.restored_at
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
