{{ config(
    materialized='incremental',
    on_schema_change='append_new_columns',
    meta={'touched': {'kind': 'account_event_id', 'key': 'account_event_id'}},
) }}

with account_events as (
    {{ known_rows(ref('stg_raw__account_events'), is_touched_key('account_event_id')) }}
),

final as (
    select
        account_events.account_event_id,
        account_events.account_id,
        account_events.event_type,
        coalesce(account_events.signup_channel, 'unknown') as signup_channel,
        coalesce(account_events.region, 'unknown') as region,
        account_events.event_type = 'sign_up_attempt' as is_sign_up_attempt,
        account_events.event_type = 'sign_up_blocked' as is_sign_up_blocked,
        account_events.event_type = 'sign_up' as is_sign_up,
        cast(account_events.occurred_at as date) as event_date
    from account_events
)

select * from final
