with source as (
    select * from {{ source('raw', 'products') }}
),

final as (
    select
        cast(product_id as varchar) as product_id,
        cast(seller_id as varchar) as seller_id,
        cast(category as varchar) as category,
        cast(currency as varchar) as currency,
        cast(price_amount as decimal(18, 2)) as price_amount,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
