with source as (
    select * from {{ source('raw', 'live_sessions') }}
),

final as (
    select
        cast(live_session_id as varchar) as live_session_id,
        cast(creator_id as varchar) as creator_id,
        cast(content_id as varchar) as content_id,
        cast(peak_viewer_count as bigint) as peak_viewer_count,
        cast(ended_at as timestamp) as ended_at,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
