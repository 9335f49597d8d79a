with source as (
    select * from {{ source('raw', 'orders') }}
),

final as (
    select
        cast(order_id as varchar) as order_id,
        cast(buyer_id as varchar) as buyer_id,
        cast(region as varchar) as region,
        cast(paid_at as timestamp) as paid_at,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
