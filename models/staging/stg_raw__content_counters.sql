with source as (
    select * from {{ source('raw', 'content_counters') }}
),

final as (
    select
        cast(content_id as varchar) as content_id,
        cast(cell_count as bigint) as cell_count,
        cast(impression_count as double) as impression_count,
        cast(view_count as double) as view_count,
        cast(complete_play_count as double) as complete_play_count,
        cast(like_count as double) as like_count,
        cast(comment_count as double) as comment_count,
        cast(share_count as double) as share_count,
        cast(report_count as double) as report_count,
        cast(not_interested_count as double) as not_interested_count,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
