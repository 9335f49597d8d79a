{{ config(
    materialized='incremental',
    on_schema_change='append_new_columns',
    meta={'touched': {'kind': 'order_id', 'key': 'order_id'}},
) }}

with fulfilment_events as (
    {{ known_rows_of(ref('stg_raw__fulfilment_events'), is_touched_key('order_id')) }}
),

-- The first event of each kind, with what it says, even if that is nothing. The key
-- breaks ties between events of the same moment.
ranked as (
    select
        fulfilment_events.order_id,
        fulfilment_events.event_type,
        fulfilment_events.fault_party,
        fulfilment_events.promised_dispatch_at,
        fulfilment_events.occurred_at,
        row_number() over (
            partition by fulfilment_events.order_id, fulfilment_events.event_type
            order by
                fulfilment_events.occurred_at,
                fulfilment_events.fulfilment_event_id
        ) as event_rank
    from fulfilment_events
),

final as (
    select
        ranked.order_id,
        max(ranked.fault_party) filter (
            where ranked.event_type = 'cancelled' and ranked.event_rank = 1
        ) as cancellation_fault_party,
        min(ranked.promised_dispatch_at) filter (
            where ranked.event_type = 'promised'
        ) as promised_dispatch_at,
        min(ranked.occurred_at) filter (
            where ranked.event_type = 'dispatched'
        ) as dispatched_at,
        min(ranked.occurred_at) filter (
            where ranked.event_type = 'cancelled'
        ) as cancelled_at
    from ranked
    group by ranked.order_id
)

select * from final
