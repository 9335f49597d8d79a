with product_events as (
    {{ known_rows(ref('stg_raw__product_events')) }}
),

content as (
    {{ known_rows(ref('stg_raw__content')) }}
),

final as (
    select
        product_events.product_event_id,
        product_events.product_id,
        content.content_id,
        content.creator_id,
        product_events.event_type,
        cast(product_events.occurred_at as date) as event_date
    from product_events
    left join content on product_events.content_id = content.content_id
)

select * from final
