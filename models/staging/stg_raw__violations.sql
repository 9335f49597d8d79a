with source as (
    select * from {{ source('raw', 'violations') }}
),

final as (
    select
        cast(violation_id as varchar) as violation_id,
        cast(creator_id as varchar) as creator_id,
        cast(content_id as varchar) as content_id,
        cast(policy_id as varchar) as policy_id,
        cast(policy_version as bigint) as policy_version,
        cast(detected_by as varchar) as detected_by,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
