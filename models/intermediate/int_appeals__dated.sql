with appeals as (
    {{ known_rows(ref('stg_raw__appeals')) }}
),

enforcements as (
    {{ known_rows(ref('stg_raw__enforcements')) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
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
                    appeals.decided_at, appeals.ingested_at, enforcements.ingested_at
                )
        end as decided_at
    from appeals
    inner join enforcements on appeals.enforcement_id = enforcements.enforcement_id
    cross join clock
)

select * from final
