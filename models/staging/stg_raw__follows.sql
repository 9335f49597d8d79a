with source as (
    select * from {{ source('raw', 'follows') }}
),

final as (
    select
        cast(follower_id as varchar) as follower_id,
        cast(creator_id as varchar) as creator_id,
        cast(action as varchar) as action,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
