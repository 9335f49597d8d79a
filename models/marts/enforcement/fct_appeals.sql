with appeals as (
    {{ known_rows(ref('stg_raw__appeals')) }}
),

appeals_dated as (
    select * from {{ ref('int_appeals__dated') }}
),

final as (
    select
        appeals.appeal_id,
        appeals.enforcement_id,
        appeals_dated.creator_id,
        appeals_dated.outcome,
        appeals_dated.outcome in ('upheld', 'overturned', 'partial') as is_decided,
        appeals_dated.outcome in ('overturned', 'partial') as is_overturned,
        cast(appeals.occurred_at as date) as appeal_date,
        -- The day of the decision itself, not the day on which it became known.
        case
            when appeals_dated.outcome in ('upheld', 'overturned', 'partial')
                then cast(appeals.decided_at as date)
        end as decision_date
    from appeals
    inner join appeals_dated on appeals.appeal_id = appeals_dated.appeal_id
)

select * from final
