with source as (
    select * from {{ source('raw', 'sellers') }}
),

final as (
    select
        cast(seller_id as varchar) as seller_id,
        cast(region as varchar) as region,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
