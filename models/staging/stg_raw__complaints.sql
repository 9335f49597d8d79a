with source as (
    select * from {{ source('raw', 'complaints') }}
),

final as (
    select
        cast(complaint_id as varchar) as complaint_id,
        cast(order_id as varchar) as order_id,
        cast(cause as varchar) as cause,
        cast(fault_party as varchar) as fault_party,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
