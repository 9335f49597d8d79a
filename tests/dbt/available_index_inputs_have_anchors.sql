-- An available input has two different anchors; one that is not available has none.
select *
from {{ ref('index_anchors') }}
where
    is_available != (worst_value is not null and target_value is not null)
    or worst_value = target_value
