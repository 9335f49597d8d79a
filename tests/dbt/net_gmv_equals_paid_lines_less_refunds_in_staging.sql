-- No money is lost, counted twice or made up between staging and fct_order_items: each
-- line is its price less its refunds of 60 days, at the planning rate, or 0 if unpaid.
with clock as (
    select * from {{ ref('int_build__clock') }}
),

orders as (
    {{ known_rows(ref('stg_raw__orders')) }}
),

order_items as (
    {{ known_rows(ref('stg_raw__order_items'), is_made_now(ref('fct_order_items'))) }}
),

refunds as (
    {{ known_rows(ref('stg_raw__refunds')) }}
),

exchange_rates as (
    select * from {{ ref('exchange_rates') }}
),

counted as (
    select * from {{ ref('fct_order_items') }}
    where {{ is_made_now(ref('fct_order_items')) }}
),

refunded as (
    select
        refunds.order_item_id,
        sum(refunds.refund_amount) as refund_amount
    from refunds
    inner join order_items on refunds.order_item_id = order_items.order_item_id
    inner join orders on order_items.order_id = orders.order_id
    inner join clock on refunds.ingested_at <= clock.as_of_at
    where refunds.occurred_at < orders.occurred_at + interval 60 day
    group by refunds.order_item_id
),

staged as (
    select
        order_items.order_item_id,
        (
            order_items.price_amount * order_items.quantity
            - coalesce(refunded.refund_amount, 0)
        ) * exchange_rates.usd_rate as net_amount
    from order_items
    inner join orders on order_items.order_id = orders.order_id
    inner join clock
        on
            order_items.ingested_at <= clock.as_of_at
            and orders.ingested_at <= clock.as_of_at
            and orders.paid_at <= clock.as_of_at
    inner join exchange_rates on order_items.currency = exchange_rates.currency
    left join refunded on order_items.order_item_id = refunded.order_item_id
),

-- A refund beyond its line would be a fault of the source: net is never below 0.
final as (
    select
        coalesce(staged.order_item_id, counted.order_item_id) as order_item_id,
        staged.net_amount,
        counted.net_gmv_usd_amount
    from staged
    full outer join counted on staged.order_item_id = counted.order_item_id
    where
        abs(coalesce(staged.net_amount, 0) - coalesce(counted.net_gmv_usd_amount, 0))
        > 0.0001
        or counted.net_gmv_usd_amount < 0
        or counted.violative_net_gmv_usd_amount not in (0, counted.net_gmv_usd_amount)
)

select * from final
