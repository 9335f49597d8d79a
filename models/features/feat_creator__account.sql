with accounts as (
    {{ first_known_rows(ref('stg_raw__accounts')) }}
),

creator_status as (
    {{ first_known_rows(ref('stg_raw__creator_status')) }}
),

follows as (
    {{ first_known_rows(
        ref('stg_raw__follows'), 'occurred_at > ' ~ previous_as_of() ~ ' - interval 8 day'
    ) }}
),

creators as (
    select
        feat_creator__posting.creator_id,
        feat_creator__posting.as_of_at
    from {{ ref('feat_creator__posting') }} as feat_creator__posting
    where feat_creator__posting.as_of_at > {{ previous_as_of() }}
),

ages as (
    select
        creators.creator_id,
        creators.as_of_at,
        date_diff(
            'day',
            coalesce(accounts.registered_at, accounts.occurred_at),
            creators.as_of_at
        ) as account_age_days
    from creators
    inner join accounts
        on
            creators.creator_id = accounts.account_id
            and creators.as_of_at >= accounts.ingested_at
),

tiers as (
    select
        creators.creator_id,
        creators.as_of_at,
        max_by(creator_status.tier, creator_status.occurred_at) as creator_tier
    from creators
    inner join creator_status
        on
            creators.creator_id = creator_status.creator_id
            and creators.as_of_at >= creator_status.occurred_at
            and creators.as_of_at >= creator_status.ingested_at
    group by creators.creator_id, creators.as_of_at
),

follower_events as (
    select
        follows.creator_id,
        case when follows.action = 'follow' then 1 else -1 end as gain,
        {{ as_of_midnights('follows.occurred_at', 'follows.ingested_at', 7) }}
            as as_of_at
    from follows
    where follows.occurred_at > {{ previous_as_of() }} - interval 7 day
),

follower_gains as (
    select
        follower_events.creator_id,
        follower_events.as_of_at,
        cast(sum(follower_events.gain) as bigint) as follower_gain_7d
    from follower_events
    group by follower_events.creator_id, follower_events.as_of_at
),

final as (
    select
        creators.creator_id,
        coalesce(tiers.creator_tier, 'unknown') as creator_tier,
        ages.account_age_days,
        follower_gains.follower_gain_7d,
        creators.as_of_at
    from creators
    left join ages
        on
            creators.creator_id = ages.creator_id
            and creators.as_of_at = ages.as_of_at
    left join tiers
        on
            creators.creator_id = tiers.creator_id
            and creators.as_of_at = tiers.as_of_at
    left join follower_gains
        on
            creators.creator_id = follower_gains.creator_id
            and creators.as_of_at = follower_gains.as_of_at
)

select * from final
