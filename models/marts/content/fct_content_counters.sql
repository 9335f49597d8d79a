{{ config(
    materialized='incremental',
    on_schema_change='append_new_columns',
    meta={'touched': {'kind': 'counted_content_id', 'key': 'content_id'}},
) }}

with content_counters as (
    {{ known_rows(
        ref('stg_raw__content_counters'),
        is_touched_key('counted_content_id', 'content_id'),
    ) }}
),

content as (
    {{ known_rows(
        ref('stg_raw__content'),
        is_touched_key('counted_content_id', 'content_id'),
    ) }}
),

final as (
    select
        content_counters.content_id,
        content.creator_id,
        content_counters.impression_count,
        content_counters.view_count,
        content_counters.complete_play_count,
        content_counters.like_count,
        content_counters.comment_count,
        content_counters.share_count,
        content_counters.report_count,
        content_counters.not_interested_count,
        cast(content_counters.occurred_at as date) as counted_date
    from content_counters
    inner join content on content_counters.content_id = content.content_id
)

select * from final
