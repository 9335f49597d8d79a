{{ config(
    materialized='incremental',
    on_schema_change='append_new_columns',
    meta={'touched': {'kind': 'order_item_id', 'key': 'order_item_id'}},
) }}

with orders as (
    {{ known_rows(ref('stg_raw__orders'), is_touched_key('order_id')) }}
),

order_items as (
    {{ known_rows(ref('stg_raw__order_items'), is_touched_key('order_item_id')) }}
),

refunds as (
    {{ known_rows_of(ref('stg_raw__refunds'), is_touched_key('order_item_id')) }}
),

product_reviews as (
    {{ known_rows_of(
        ref('stg_raw__product_reviews'),
        is_touched_key('order_item_id'),
    ) }}
),

exchange_rates as (
    select * from {{ ref('exchange_rates') }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

lines as (
    select
        order_items.order_item_id,
        case
            when orders.paid_at <= clock.as_of_at
                then cast(
                    cast(
                        order_items.price_amount
                        * cast(order_items.quantity as integer) as decimal(18, 2)
                    ) * exchange_rates.usd_rate as decimal(18, 6)
                )
            else 0
        end as gmv_usd_amount,
        coalesce(orders.paid_at <= clock.as_of_at, false) as is_paid,
        orders.occurred_at as ordered_at
    from order_items
    inner join orders on order_items.order_id = orders.order_id
    left join exchange_rates on order_items.currency = exchange_rates.currency
    cross join clock
),

refunds_in_time as (
    select
        refunds.order_item_id,
        sum(cast(
            refunds.refund_amount * exchange_rates.usd_rate as decimal(18, 6)
        )) as refund_usd_amount,
        bool_or(refunds.refund_kind = 'return_refund') as has_return_refund
    from refunds
    inner join lines on refunds.order_item_id = lines.order_item_id
    left join exchange_rates on refunds.currency = exchange_rates.currency
    where refunds.occurred_at < lines.ordered_at + to_days(60)
    group by refunds.order_item_id
),

reviews_in_time as (
    select
        product_reviews.order_item_id,
        min(product_reviews.rating) as lowest_rating
    from product_reviews
    inner join lines on product_reviews.order_item_id = lines.order_item_id
    where product_reviews.occurred_at < lines.ordered_at + to_days(60)
    group by product_reviews.order_item_id
),

final as (
    select
        lines.order_item_id,
        reviews_in_time.lowest_rating,
        lines.gmv_usd_amount,
        cast(
            case
                when lines.is_paid
                    then coalesce(refunds_in_time.refund_usd_amount, 0)
                else 0
            end as decimal(18, 6)
        ) as refund_usd_amount,
        lines.is_paid,
        coalesce(refunds_in_time.has_return_refund, false) as has_return_refund,
        lines.ordered_at
    from lines
    left join refunds_in_time on lines.order_item_id = refunds_in_time.order_item_id
    left join reviews_in_time on lines.order_item_id = reviews_in_time.order_item_id
)

select * from final
