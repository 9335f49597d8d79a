with source as (
    select * from {{ source('raw', 'product_events') }}
),

final as (
    select
        cast(product_event_id as varchar) as product_event_id,
        cast(viewer_id as varchar) as viewer_id,
        cast(product_id as varchar) as product_id,
        cast(content_id as varchar) as content_id,
        cast(event_type as varchar) as event_type,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
