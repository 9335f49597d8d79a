with accounts as (
    {{ known_rows(ref('stg_raw__accounts')) }}
),

creator_status as (
    {{ known_rows(ref('stg_raw__creator_status')) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

-- A status announced for later is not yet the current one.
ranked as (
    select
        creator_status.creator_id,
        creator_status.agency_id,
        creator_status.region,
        creator_status.language,
        creator_status.tier,
        creator_status.status,
        row_number() over (
            partition by creator_status.creator_id
            order by creator_status.occurred_at desc
        ) as recency_rank
    from creator_status
    inner join clock on creator_status.occurred_at <= clock.as_of_at
),

current_status as (
    select
        creator_id,
        agency_id,
        region,
        language,
        tier,
        status
    from ranked
    where recency_rank = 1
),

final as (
    select
        accounts.account_id as creator_id,
        current_status.agency_id,
        coalesce(current_status.region, accounts.region, 'unknown') as region,
        coalesce(current_status.language, accounts.language, 'unknown') as language,
        coalesce(current_status.tier, 'unknown') as tier,
        coalesce(current_status.status, 'unknown') as status,
        coalesce(accounts.registered_at, accounts.occurred_at)
        < clock.as_of_at - to_days(90) as is_established,
        cast(
            coalesce(accounts.registered_at, accounts.occurred_at) as date
        ) as registered_date
    from accounts
    left join current_status on accounts.account_id = current_status.creator_id
    cross join clock
    where accounts.account_kind = 'creator'
)

select * from final
