-- Where do shoppers drop out, by the tier of the creator who brought them?
--
-- Funnel: impressions of content, clicks on its products, additions to the cart, paid
-- order lines, and of the lines older than 60 days those that were not sent back.
-- Reading: a step rate is counts over counts, not the same shoppers followed through,
-- and can pass 1. Sales without an attributed item are in no tier. Tier is as it is
-- now.
with creators as (
    select * from {{ ref('dim_creators') }}
),

content_days as (
    select * from {{ ref('fct_content_days') }}
),

product_events as (
    select * from {{ ref('fct_product_events') }}
),

order_items as (
    select * from {{ ref('fct_order_items') }}
),

shown as (
    select
        creator_id,
        sum(impression_count) as impression_count
    from content_days
    group by creator_id
),

chosen as (
    select
        creator_id,
        count_if(event_type = 'click') as click_count,
        count_if(event_type = 'cart') as cart_count
    from product_events
    group by creator_id
),

sold as (
    select
        creator_id,
        count_if(is_paid) as paid_count,
        count_if(is_paid and is_mature_60d) as mature_paid_count,
        count_if(is_paid and is_mature_60d and not has_return_refund_60d) as kept_count
    from order_items
    group by creator_id
),

totals as (
    select
        creators.tier,
        coalesce(sum(shown.impression_count), 0) as impression_count,
        coalesce(sum(chosen.click_count), 0) as click_count,
        coalesce(sum(chosen.cart_count), 0) as cart_count,
        coalesce(sum(sold.paid_count), 0) as paid_count,
        coalesce(sum(sold.mature_paid_count), 0) as mature_paid_count,
        coalesce(sum(sold.kept_count), 0) as kept_count
    from creators
    left join shown on creators.creator_id = shown.creator_id
    left join chosen on creators.creator_id = chosen.creator_id
    left join sold on creators.creator_id = sold.creator_id
    group by creators.tier
),

final as (
    select
        tier,
        impression_count,
        click_count,
        cart_count,
        paid_count,
        click_count / nullif(impression_count, 0) as click_rate,
        cart_count / nullif(click_count, 0) as cart_rate,
        paid_count / nullif(cart_count, 0) as paid_rate,
        kept_count / nullif(mature_paid_count, 0) as kept_rate
    from totals
)

select * from final
order by tier
