with source as (
    select * from {{ source('raw', 'account_events') }}
),

final as (
    select
        cast(account_event_id as varchar) as account_event_id,
        cast(account_id as varchar) as account_id,
        cast(event_type as varchar) as event_type,
        cast(signup_channel as varchar) as signup_channel,
        cast(region as varchar) as region,
        cast(device_hash as varchar) as device_hash,
        cast(network_hash as varchar) as network_hash,
        cast(payment_hash as varchar) as payment_hash,
        cast(email_domain_hash as varchar) as email_domain_hash,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
