with source as (
    select * from {{ source('raw', 'user_reports') }}
),

final as (
    select
        cast(user_report_id as varchar) as user_report_id,
        cast(reporter_id as varchar) as reporter_id,
        cast(target_type as varchar) as target_type,
        cast(target_id as varchar) as target_id,
        cast(reason as varchar) as reason,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
