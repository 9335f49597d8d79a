with daily_totals as (
    {{ known_rows(ref('stg_raw__daily_totals')) }}
),

exchange_rates as (
    select * from {{ ref('exchange_rates') }}
),

final as (
    select
        daily_totals.region
        || '|'
        || cast(cast(daily_totals.occurred_at as date) as varchar) as daily_total_id,
        daily_totals.region,
        daily_totals.impression_count,
        daily_totals.view_count,
        daily_totals.post_count,
        daily_totals.active_creator_count,
        daily_totals.registration_count,
        daily_totals.sign_up_attempt_count,
        daily_totals.sign_up_block_count,
        daily_totals.order_count,
        -- Wide enough for a day of a whole country in its smallest currency.
        cast(
            cast(daily_totals.gmv_amount as decimal(26, 2))
            * cast(exchange_rates.usd_rate as decimal(12, 10)) as decimal(18, 2)
        ) as gmv_amount,
        daily_totals.complaint_count,
        daily_totals.violation_count,
        daily_totals.enforcement_count,
        daily_totals.user_report_count,
        cast(daily_totals.occurred_at as date) as total_date
    from daily_totals
    left join exchange_rates on daily_totals.currency = exchange_rates.currency
)

select * from final
