with source as (
    select * from {{ source('raw', 'product_reviews') }}
),

final as (
    select
        cast(product_review_id as varchar) as product_review_id,
        cast(order_item_id as varchar) as order_item_id,
        cast(product_id as varchar) as product_id,
        cast(rating as bigint) as rating,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
