with source as (
    select * from {{ source('raw', 'enforcements') }}
),

final as (
    select
        cast(enforcement_id as varchar) as enforcement_id,
        cast(violation_id as varchar) as violation_id,
        cast(creator_id as varchar) as creator_id,
        cast(content_id as varchar) as content_id,
        cast(action as varchar) as action,
        cast(scope as varchar) as scope,
        cast(decision_source as varchar) as decision_source,
        cast(decision_id as varchar) as decision_id,
        cast(notified_at as timestamp) as notified_at,
        cast(restored_at as timestamp) as restored_at,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
