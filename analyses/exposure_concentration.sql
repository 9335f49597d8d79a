-- How unequally are impressions shared among creators, in all and within each tier?
--
-- Gini coefficient by ranks, and points of the Lorenz curve. Creators with content and
-- no impression count with 0; owner and ad impressions are left out by the mart.
-- Reading: 0 is an equal share for each, near 1 is all for one. A Gini within a tier
-- says nothing of the gap between tiers. A group of under 10 creators has too little to
-- say of its top tenth, which is then null.
with content as (
    select * from {{ ref('fct_content') }}
),

creators as (
    select * from {{ ref('dim_creators') }}
),

exposure as (
    select * from {{ ref('fct_creator_exposure') }}
),

posters as (
    select distinct creator_id
    from content
),

seen as (
    select
        creators.tier,
        posters.creator_id,
        coalesce(exposure.impression_count, 0) as impression_count
    from posters
    inner join creators on posters.creator_id = creators.creator_id
    left join exposure on posters.creator_id = exposure.creator_id
),

members as (
    select
        'all' as creator_group,
        creator_id,
        impression_count
    from seen
    union all
    select
        'tier ' || tier as creator_group,
        creator_id,
        impression_count
    from seen
),

ranked as (
    select
        creator_group,
        impression_count,
        row_number() over (
            partition by creator_group order by impression_count, creator_id
        ) as place,
        count(*) over (partition by creator_group) as creator_count
    from members
),

final as (
    select
        creator_group,
        count(*) as creator_count,
        sum(impression_count) as impression_count,
        2 * sum(place * impression_count)
        / nullif(count(*) * sum(impression_count), 0)
        - (count(*) + 1) / count(*) as gini,
        sum(impression_count) filter (where place <= creator_count // 2)
        / nullif(sum(impression_count), 0) as bottom_half_share,
        sum(impression_count) filter (where place > creator_count - creator_count // 10)
        / nullif(sum(impression_count), 0) as top_tenth_share
    from ranked
    group by creator_group
)

select * from final
order by creator_group
