-- Each period begins where the one before it ended, and the last one alone is open.
with creator_history as (
    select * from {{ ref('dim_creator_history') }}
),

neighbours as (
    select
        creator_id,
        is_current,
        valid_from_at,
        valid_until_at,
        row_number() over periods as period_number,
        lag(valid_until_at) over periods as previous_until_at,
        count(*) filter (where is_current) over (partition by creator_id)
            as current_count
    from creator_history
    window periods as (partition by creator_id order by valid_from_at)
),

final as (
    select
        creator_id,
        valid_from_at
    from neighbours
    where
        current_count != 1
        or (period_number > 1 and previous_until_at is distinct from valid_from_at)
        or valid_until_at <= valid_from_at
)

select * from final
