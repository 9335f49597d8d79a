with account_events as (
    {{ first_known_rows(ref('stg_raw__account_events')) }}
),

creators as (
    select
        feat_creator__posting.creator_id,
        feat_creator__posting.as_of_at
    from {{ ref('feat_creator__posting') }} as feat_creator__posting
    where feat_creator__posting.as_of_at > {{ previous_as_of() }}
),

sightings as (
    select
        account_events.account_id,
        account_events.device_hash,
        min(account_events.ingested_at) as known_at
    from account_events
    where
        account_events.account_id is not null
        and account_events.device_hash is not null
    group by account_events.account_id, account_events.device_hash
),

-- Another account is shared with from the moment at which both were seen on one device.
pairs as (
    select
        own.account_id as creator_id,
        other.account_id as other_account_id,
        min(greatest(own.known_at, other.known_at)) as known_at
    from sightings as own
    inner join sightings as other
        on own.device_hash = other.device_hash and own.account_id != other.account_id
    where own.account_id in (select creators.creator_id from creators)
    group by own.account_id, other.account_id
),

final as (
    select
        creators.creator_id,
        count(*) as shared_device_account_count,
        creators.as_of_at
    from creators
    inner join pairs
        on
            creators.creator_id = pairs.creator_id
            and creators.as_of_at >= pairs.known_at
    group by creators.creator_id, creators.as_of_at
)

select * from final
