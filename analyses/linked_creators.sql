-- Which creators sell to the same few buyers, directly or through others?
--
-- Recursive linkage: two creators are linked when at least 3 buyers paid for items
-- attributed to both, and those are a tenth or more of the buyers of either (Jaccard).
-- Links are followed to the end, so that a group is all who can be reached. Captions,
-- audio and devices of single posts are not in marts or features, only their rates, so
-- creators cannot be linked by them here.
-- Reading: one row per group, named by its first creator. Creators of one agency or of
-- one niche share buyers in good faith: a group is a question, never an answer.
with recursive orders as (
    select * from {{ ref('fct_orders') }}
),

order_items as (
    select * from {{ ref('fct_order_items') }}
),

purchases as (
    select distinct
        order_items.creator_id,
        orders.buyer_id
    from order_items
    inner join orders on order_items.order_id = orders.order_id
    where order_items.is_paid and order_items.creator_id is not null
),

audiences as (
    select
        creator_id,
        count(*) as buyer_count
    from purchases
    group by creator_id
),

shared as (
    select
        purchases.creator_id,
        others.creator_id as other_id,
        count(*) as shared_count
    from purchases
    inner join purchases as others
        on
            purchases.buyer_id = others.buyer_id
            and purchases.creator_id <> others.creator_id
    group by purchases.creator_id, others.creator_id
    having count(*) >= 3
),

links as (
    select
        shared.creator_id,
        shared.other_id,
        shared.shared_count
    from shared
    inner join audiences on shared.creator_id = audiences.creator_id
    inner join audiences as other_audiences
        on shared.other_id = other_audiences.creator_id
    where
        shared.shared_count >= 0.1 * (
            audiences.buyer_count + other_audiences.buyer_count - shared.shared_count
        )
),

reached (creator_id, member_id) as (
    select
        creator_id,
        creator_id as member_id
    from links
    union
    select
        reached.creator_id,
        links.other_id as member_id
    from reached
    inner join links on reached.member_id = links.creator_id
),

groups as (
    select
        creator_id,
        min(member_id) as group_id
    from reached
    group by creator_id
),

final as (
    select
        groups.group_id,
        count(distinct groups.creator_id) as creator_count,
        count(*) // 2 as link_count,
        max(links.shared_count) as most_shared_buyers
    from groups
    inner join links on groups.creator_id = links.creator_id
    group by groups.group_id
)

select * from final
order by creator_count desc, group_id asc
