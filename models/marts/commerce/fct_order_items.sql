{{ config(
    materialized='incremental',
    on_schema_change='append_new_columns',
    meta={'touched': {'kind': 'order_item_id', 'key': 'order_item_id'}},
) }}

with order_items as (
    {{ known_rows(ref('stg_raw__order_items'), is_touched_key('order_item_id')) }}
),

content as (
    {{ known_rows(
        ref('stg_raw__content'),
        is_named_by('content_id', 'order_items', 'attributed_content_id'),
    ) }}
),

order_items_settled as (
    select * from {{ ref('int_order_items__settled') }}
),

violating_content as (
    select * from {{ ref('int_violations__counted') }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

final as (
    select
        order_items.order_item_id,
        order_items.order_id,
        order_items.product_id,
        order_items.seller_id,
        content.content_id,
        content.creator_id,
        order_items_settled.gmv_usd_amount,
        cast(
            order_items_settled.gmv_usd_amount
            - order_items_settled.refund_usd_amount as decimal(18, 6)
        ) as net_gmv_usd_amount,
        cast(
            case
                when violating_content.content_id is not null
                    then
                        order_items_settled.gmv_usd_amount
                        - order_items_settled.refund_usd_amount
                else 0
            end as decimal(18, 6)
        ) as violative_net_gmv_usd_amount,
        order_items_settled.is_paid,
        order_items_settled.has_return_refund as has_return_refund_60d,
        order_items_settled.lowest_rating is not null as has_review,
        coalesce(order_items_settled.lowest_rating <= 2, false) as is_negative_review,
        order_items_settled.ordered_at + to_days(60) <= clock.as_of_at as is_mature_60d,
        cast(order_items_settled.ordered_at as date) as order_date
    from order_items
    inner join order_items_settled
        on order_items.order_item_id = order_items_settled.order_item_id
    left join content on order_items.attributed_content_id = content.content_id
    left join violating_content on content.content_id = violating_content.content_id
    cross join clock
)

select * from final
