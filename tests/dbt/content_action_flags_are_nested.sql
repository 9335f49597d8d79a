-- What is true of a removal needs one, and an item nobody acted on has no views before
-- it.
with content_actions as (
    select * from {{ ref('fct_content_actions') }}
),

final as (
    select content_id
    from content_actions
    where
        (is_removed and not is_actioned)
        or (is_removed_before_view and not is_removed)
        or (is_removed_within_24h and not is_removed)
        or (is_actioned_before_report and not is_actioned)
        or (is_actioned != (action_date is not null))
        or (is_actioned != (hours_to_action is not null))
        or (not is_actioned and view_count_before_action > 0)
        or view_count_before_action > view_count_total
        or hours_to_action < 0
)

select * from final
