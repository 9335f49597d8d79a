with source as (
    select * from {{ source('raw', 'fulfilment_events') }}
),

final as (
    select
        cast(fulfilment_event_id as varchar) as fulfilment_event_id,
        cast(order_id as varchar) as order_id,
        cast(event_type as varchar) as event_type,
        cast(fault_party as varchar) as fault_party,
        cast(carrier as varchar) as carrier,
        cast(promised_dispatch_at as timestamp) as promised_dispatch_at,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
