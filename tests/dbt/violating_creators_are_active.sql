-- A violation sits on a post of the same window, so violating creators are active
-- creators.
select *
from {{ ref('fct_creator_days') }}
where
    is_violating != (violation_count_28d > 0)
    or (is_violating and post_count_28d = 0)
