-- In how many sittings do creators of each tier post, and how much at once?
--
-- Sessionisation: a post opens a new sitting when the creator's post before it is more
-- than 30 minutes older. Marts hold the moment of a post; of views and log-ins they
-- hold the day, so sittings of viewers cannot be told from them.
-- Reading: long sittings of many posts are what scheduled or automated posting looks
-- like. They are a reason to look, not a finding. Tier is as it is now.
with content as (
    select * from {{ ref('fct_content') }}
),

creators as (
    select * from {{ ref('dim_creators') }}
),

marked as (
    select
        creator_id,
        content_id,
        uploaded_at,
        coalesce(
            uploaded_at - lag(uploaded_at) over posts_before > to_minutes(30), true
        ) as is_opening
    from content
    window posts_before as (partition by creator_id order by uploaded_at, content_id)
),

numbered as (
    select
        creator_id,
        uploaded_at,
        count_if(is_opening) over (
            partition by creator_id order by uploaded_at, content_id
            rows between unbounded preceding and current row
        ) as sitting_number
    from marked
),

sittings as (
    select
        creator_id,
        sitting_number,
        count(*) as post_count,
        date_diff('second', min(uploaded_at), max(uploaded_at)) / 60 as minutes
    from numbered
    group by creator_id, sitting_number
),

final as (
    select
        creators.tier,
        count(distinct sittings.creator_id) as creator_count,
        count(*) as sitting_count,
        sum(sittings.post_count) as post_count,
        avg(sittings.post_count) as posts_per_sitting,
        max(sittings.post_count) as most_posts_in_a_sitting,
        max(sittings.minutes) as longest_sitting_minutes
    from sittings
    inner join creators on sittings.creator_id = creators.creator_id
    group by creators.tier
)

select * from final
order by tier
