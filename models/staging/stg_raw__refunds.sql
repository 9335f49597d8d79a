with source as (
    select * from {{ source('raw', 'refunds') }}
),

final as (
    select
        cast(refund_id as varchar) as refund_id,
        cast(order_item_id as varchar) as order_item_id,
        cast(refund_kind as varchar) as refund_kind,
        cast(currency as varchar) as currency,
        cast(refund_amount as decimal(18, 2)) as refund_amount,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
