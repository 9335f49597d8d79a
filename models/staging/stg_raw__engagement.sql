with source as (
    select * from {{ source('raw', 'engagement') }}
),

final as (
    select
        cast(engagement_id as varchar) as engagement_id,
        cast(viewer_id as varchar) as viewer_id,
        cast(content_id as varchar) as content_id,
        cast(event_type as varchar) as event_type,
        cast(surface as varchar) as surface,
        cast(source_flag as varchar) as source_flag,
        cast(watch_ms as bigint) as watch_ms,
        cast(is_ad as boolean) as is_ad,
        cast(is_owner as boolean) as is_owner,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
