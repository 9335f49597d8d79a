-- An available input has two different anchors; one that is not available has none.
with index_anchors as (
    select * from {{ ref('index_anchors') }}
),

final as (
    select
        index_version,
        metric_name
    from index_anchors
    where
        is_available != (worst_value is not null and target_value is not null)
        or worst_value = target_value
)

select * from final
