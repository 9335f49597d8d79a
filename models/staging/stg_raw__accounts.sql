with source as (
    select * from {{ source('raw', 'accounts') }}
),

final as (
    select
        cast(account_id as varchar) as account_id,
        cast(account_kind as varchar) as account_kind,
        cast(signup_channel as varchar) as signup_channel,
        cast(region as varchar) as region,
        cast(language as varchar) as language,
        cast(registered_at as timestamp) as registered_at,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
