with source as (
    select * from {{ source('raw', 'creator_status') }}
),

final as (
    select
        cast(creator_id as varchar) as creator_id,
        cast(tier as varchar) as tier,
        cast(agency_id as varchar) as agency_id,
        cast(region as varchar) as region,
        cast(language as varchar) as language,
        cast(status as varchar) as status,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
