with source as (
    select * from {{ source('raw', 'policy_versions') }}
),

final as (
    select
        cast(policy_id as varchar) as policy_id,
        cast(policy_version as bigint) as policy_version,
        cast(change_note as varchar) as change_note,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
