with source as (
    select * from {{ source('raw', 'daily_totals') }}
),

final as (
    select
        cast(region as varchar) as region,
        cast(currency as varchar) as currency,
        cast(impression_count as bigint) as impression_count,
        cast(view_count as bigint) as view_count,
        cast(post_count as bigint) as post_count,
        cast(active_creator_count as bigint) as active_creator_count,
        cast(registration_count as bigint) as registration_count,
        cast(sign_up_attempt_count as bigint) as sign_up_attempt_count,
        cast(sign_up_block_count as bigint) as sign_up_block_count,
        cast(order_count as bigint) as order_count,
        cast(gmv_amount as decimal(18, 2)) as gmv_amount,
        cast(complaint_count as bigint) as complaint_count,
        cast(violation_count as bigint) as violation_count,
        cast(enforcement_count as bigint) as enforcement_count,
        cast(user_report_count as bigint) as user_report_count,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
