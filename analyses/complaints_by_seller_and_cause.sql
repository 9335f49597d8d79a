-- Which sellers get more complaints of a cause than their orders would lead to expect?
--
-- Attribution: the complaint belongs to an order, and an order can have lines of
-- several sellers: each gets an equal part of the order and of its complaint. Expected
-- is the seller's paid orders times the rate of the cause over all sellers. Orders are
-- paid and older than 60 days.
-- Reading: excess_count, the most first. Small sellers show large ratios by chance,
-- which is why the list is by excess. The equal split is an assumption; orders of one
-- seller, most of them, do not need it.
with orders as (
    select * from {{ ref('fct_orders') }}
),

order_items as (
    select * from {{ ref('fct_order_items') }}
),

parts as (
    select distinct
        order_items.order_id,
        order_items.seller_id
    from order_items
),

attributed as (
    select
        parts.seller_id,
        orders.complaint_cause,
        1 / count(*) over (partition by parts.order_id) as order_part
    from parts
    inner join orders on parts.order_id = orders.order_id
    where orders.is_paid and orders.is_mature_60d
),

sellers as (
    select
        seller_id,
        sum(order_part) as order_count
    from attributed
    group by seller_id
),

causes as (
    select
        complaint_cause,
        sum(order_part) / (
            select sum(sellers.order_count) as order_count
            from sellers
        ) as cause_rate
    from attributed
    where complaint_cause is not null
    group by complaint_cause
),

complaints as (
    select
        seller_id,
        complaint_cause,
        sum(order_part) as complaint_count
    from attributed
    where complaint_cause is not null
    group by seller_id, complaint_cause
),

final as (
    select
        complaints.seller_id,
        complaints.complaint_cause,
        sellers.order_count,
        complaints.complaint_count,
        sellers.order_count * causes.cause_rate as expected_count,
        complaints.complaint_count
        - sellers.order_count * causes.cause_rate as excess_count,
        complaints.complaint_count / sellers.order_count as complaint_rate
    from complaints
    inner join sellers on complaints.seller_id = sellers.seller_id
    inner join causes on complaints.complaint_cause = causes.complaint_cause
)

select * from final
order by excess_count desc, seller_id asc, complaint_cause asc
