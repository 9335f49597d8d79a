with accounts as (
    {{ known_rows(ref('stg_raw__accounts')) }}
),

creator_status as (
    {{ known_rows(ref('stg_raw__creator_status')) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

creators as (
    select
        accounts.account_id as creator_id,
        coalesce(accounts.region, 'unknown') as region,
        coalesce(accounts.language, 'unknown') as language,
        coalesce(accounts.registered_at, accounts.occurred_at) as started_at
    from accounts
    where accounts.account_kind = 'creator'
),

-- A status announced for later has not begun.
statuses as (
    select
        creator_status.creator_id,
        creator_status.agency_id,
        creator_status.region,
        creator_status.language,
        creator_status.tier,
        creator_status.status,
        creator_status.occurred_at as valid_from_at
    from creator_status
    inner join creators on creator_status.creator_id = creators.creator_id
    inner join clock on creator_status.occurred_at <= clock.as_of_at
),

first_statuses as (
    select
        statuses.creator_id,
        min(statuses.valid_from_at) as valid_from_at
    from statuses
    group by statuses.creator_id
),

-- Nobody said what a creator was before its first status.
unknowns as (
    select
        creators.creator_id,
        cast(null as varchar) as agency_id,
        creators.region,
        creators.language,
        'unknown' as tier,
        'unknown' as status,
        creators.started_at as valid_from_at
    from creators
    left join first_statuses on creators.creator_id = first_statuses.creator_id
    where coalesce(creators.started_at < first_statuses.valid_from_at, true)
),

periods as (
    select * from statuses
    union all
    select * from unknowns
),

-- In the order of happening: a row that arrives late takes its place among the others.
final as (
    select
        periods.creator_id,
        periods.agency_id,
        periods.region,
        periods.language,
        periods.tier,
        periods.status,
        periods.valid_from_at,
        lead(periods.valid_from_at) over (
            partition by periods.creator_id
            order by periods.valid_from_at
        ) as valid_until_at
    from periods
)

select * from final
