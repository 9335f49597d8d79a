with appeals as (
    {{ known_rows(ref('stg_raw__appeals')) }}
),

appeal_versions as (
    {{ known_versions(ref('stg_raw__appeals')) }}
),

enforcements as (
    {{ known_rows(ref('stg_raw__enforcements')) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

-- When it became known what is now the outcome.
outcomes as (
    select
        appeals.appeal_id,
        min(appeal_versions.ingested_at) as known_at
    from appeals
    inner join appeal_versions
        on
            appeals.appeal_id = appeal_versions.appeal_id
            and appeals.outcome = appeal_versions.outcome
            and appeals.decided_at = appeal_versions.decided_at
    group by appeals.appeal_id
),

final as (
    select
        appeals.appeal_id,
        appeals.enforcement_id,
        enforcements.violation_id,
        enforcements.creator_id,
        case
            when appeals.decided_at <= clock.as_of_at then appeals.outcome
            else 'pending'
        end as outcome,
        appeals.occurred_at,
        greatest(appeals.ingested_at, enforcements.ingested_at) as known_at,
        case
            when appeals.decided_at <= clock.as_of_at
                then greatest(
                    appeals.decided_at, outcomes.known_at, enforcements.ingested_at
                )
        end as decided_at
    from appeals
    inner join enforcements on appeals.enforcement_id = enforcements.enforcement_id
    left join outcomes on appeals.appeal_id = outcomes.appeal_id
    cross join clock
)

select * from final
