with fulfilment_events as (
    {{ known_rows(ref('stg_raw__fulfilment_events')) }}
),

final as (
    select
        fulfilment_events.order_id,
        arg_min(fulfilment_events.fault_party, fulfilment_events.occurred_at) filter (
            where fulfilment_events.event_type = 'cancelled'
        ) as cancellation_fault_party,
        min(fulfilment_events.promised_dispatch_at) filter (
            where fulfilment_events.event_type = 'promised'
        ) as promised_dispatch_at,
        min(fulfilment_events.occurred_at) filter (
            where fulfilment_events.event_type = 'dispatched'
        ) as dispatched_at,
        min(fulfilment_events.occurred_at) filter (
            where fulfilment_events.event_type = 'cancelled'
        ) as cancelled_at
    from fulfilment_events
    group by fulfilment_events.order_id
)

select * from final
