{{ config(
    materialized='incremental',
    on_schema_change='append_new_columns',
    meta={'touched': {'kind': 'order_id', 'key': 'order_id'}},
) }}

with orders as (
    {{ known_rows(ref('stg_raw__orders'), is_touched_key('order_id')) }}
),

complaints as (
    {{ known_rows_of(ref('stg_raw__complaints'), is_touched_key('order_id')) }}
),

orders_fulfilled as (
    select * from {{ ref('int_orders__fulfilled') }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

-- The key breaks ties between complaints of the same moment.
ranked_complaints as (
    select
        complaints.order_id,
        complaints.cause,
        complaints.fault_party,
        row_number() over (
            partition by complaints.order_id
            order by complaints.occurred_at, complaints.complaint_id
        ) as complaint_rank
    from complaints
    inner join orders on complaints.order_id = orders.order_id
    where complaints.occurred_at < orders.occurred_at + to_days(60)
),

first_complaints as (
    select
        order_id,
        cause,
        fault_party
    from ranked_complaints
    where complaint_rank = 1
),

final as (
    select
        orders.order_id,
        orders.buyer_id,
        orders.region,
        first_complaints.cause as complaint_cause,
        first_complaints.fault_party as complaint_fault_party,
        coalesce(orders.paid_at <= clock.as_of_at, false) as is_paid,
        first_complaints.order_id is not null as has_complaint_60d,
        coalesce(
            orders_fulfilled.cancellation_fault_party = 'seller'
            and orders_fulfilled.cancelled_at < orders.occurred_at + to_days(30),
            false
        ) as is_seller_fault_cancelled_30d,
        coalesce(
            orders_fulfilled.promised_dispatch_at < orders.occurred_at + to_days(7),
            false
        ) as has_promise_7d,
        -- A promise that still runs, or that a cancellation ended in time, is not late.
        coalesce(
            orders.paid_at <= clock.as_of_at
            and orders_fulfilled.promised_dispatch_at < orders.occurred_at + to_days(7)
            and least(
                coalesce(orders_fulfilled.dispatched_at, clock.as_of_at),
                coalesce(orders_fulfilled.cancelled_at, clock.as_of_at)
            ) > orders_fulfilled.promised_dispatch_at,
            false
        ) as is_dispatched_late_7d,
        orders.occurred_at + to_days(7) <= clock.as_of_at as is_mature_7d,
        orders.occurred_at + to_days(30) <= clock.as_of_at as is_mature_30d,
        orders.occurred_at + to_days(60) <= clock.as_of_at as is_mature_60d,
        cast(orders.occurred_at as date) as order_date
    from orders
    left join orders_fulfilled on orders.order_id = orders_fulfilled.order_id
    left join first_complaints on orders.order_id = first_complaints.order_id
    cross join clock
)

select * from final
