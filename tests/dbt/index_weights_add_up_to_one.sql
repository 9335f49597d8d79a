-- Weights add up to 1: over the sub-scores of an index, and over the inputs of a sub-
-- score.
with index_weights as (
    select * from {{ ref('index_weights') }}
),

index_anchors as (
    select * from {{ ref('index_anchors') }}
),

totals as (
    select
        'index' as part,
        index_version,
        sum(weight) as total_weight
    from index_weights
    group by index_version
    union all
    select
        sub_score as part,
        index_version,
        sum(weight) as total_weight
    from index_anchors
    group by sub_score, index_version
),

final as (
    select * from totals
    where abs(total_weight - 1) > 1e-9
)

select * from final
