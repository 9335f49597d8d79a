with source as (
    select * from {{ source('raw', 'comments') }}
),

final as (
    select
        cast(comment_id as varchar) as comment_id,
        cast(content_id as varchar) as content_id,
        cast(account_id as varchar) as account_id,
        cast(text_hash as varchar) as text_hash,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
