with creator_status as (
    select * from {{ ref('int_creator_status__dated') }}
),

final as (
    select
        creator_status.creator_id
        || '|'
        || cast(creator_status.valid_from_at as varchar) as creator_period_id,
        creator_status.creator_id,
        creator_status.agency_id,
        creator_status.region,
        creator_status.language,
        creator_status.tier,
        creator_status.status,
        creator_status.valid_until_at is null as is_current,
        creator_status.valid_from_at,
        creator_status.valid_until_at
    from creator_status
)

select * from final
