-- The two names meet at the build's clock: every creator's last period says what
-- dim_creators says.
with creators as (
    select * from {{ ref('dim_creators') }}
),

creator_history as (
    select * from {{ ref('dim_creator_history') }}
    where is_current
),

final as (
    select coalesce(creators.creator_id, creator_history.creator_id) as creator_id
    from creators
    full outer join creator_history
        on creators.creator_id = creator_history.creator_id
    where
        creators.tier is distinct from creator_history.tier
        or creators.status is distinct from creator_history.status
        or creators.region is distinct from creator_history.region
        or creators.language is distinct from creator_history.language
        or creators.agency_id is distinct from creator_history.agency_id
)

select * from final
