with accounts as (
    {{ known_rows(ref('stg_raw__accounts')) }}
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
