-- A timed view is a view; only a timed one can be short or measurable, and only a
-- measurable one complete.
with content_days as (
    select * from {{ ref('fct_content_days') }}
),

final as (
    select content_day_id
    from content_days
    where
        timed_view_count > view_count
        or measurable_view_count > timed_view_count
        or short_play_count > timed_view_count
        or complete_play_count > measurable_view_count
)

select * from final
