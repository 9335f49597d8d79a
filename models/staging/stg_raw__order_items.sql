with source as (
    select * from {{ source('raw', 'order_items') }}
),

final as (
    select
        cast(order_item_id as varchar) as order_item_id,
        cast(order_id as varchar) as order_id,
        cast(product_id as varchar) as product_id,
        cast(seller_id as varchar) as seller_id,
        cast(attributed_content_id as varchar) as attributed_content_id,
        cast(currency as varchar) as currency,
        cast(quantity as bigint) as quantity,
        cast(price_amount as decimal(18, 2)) as price_amount,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
