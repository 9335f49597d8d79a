{{ config(
    materialized='incremental',
    on_schema_change='append_new_columns',
    meta={'touched': {'kind': 'product_event_id', 'key': 'product_event_id'}},
) }}

with product_events as (
    {{ known_rows(ref('stg_raw__product_events'), is_touched_key('product_event_id')) }}
),

content as (
    {{ known_rows(
        ref('stg_raw__content'),
        is_named_by('content_id', 'product_events'),
    ) }}
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
