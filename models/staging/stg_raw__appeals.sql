with source as (
    select * from {{ source('raw', 'appeals') }}
),

final as (
    select
        cast(appeal_id as varchar) as appeal_id,
        cast(enforcement_id as varchar) as enforcement_id,
        cast(reviewer_id as varchar) as reviewer_id,
        cast(outcome as varchar) as outcome,
        cast(decided_at as timestamp) as decided_at,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
