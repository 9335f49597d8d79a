{{ config(
    materialized='incremental',
    on_schema_change='append_new_columns',
    meta={'touched': {'kind': 'account_id', 'key': 'account_id'}},
) }}

with accounts as (
    {{ known_rows(ref('stg_raw__accounts'), is_touched_key('account_id')) }}
),

final as (
    select
        accounts.account_id,
        accounts.account_kind,
        coalesce(accounts.signup_channel, 'unknown') as signup_channel,
        coalesce(accounts.region, 'unknown') as region
    from accounts
)

select * from final
