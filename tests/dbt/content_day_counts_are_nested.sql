-- A short or complete play is a view, and only a measurable one can be complete.
select *
from {{ ref('fct_content_days') }}
where
    measurable_view_count > view_count
    or short_play_count > view_count
    or complete_play_count > measurable_view_count
