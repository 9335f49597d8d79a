with content as (
    {{ known_rows(ref('stg_raw__content')) }}
),

engagement as (
    select * from {{ ref('int_engagement__counted') }}
),

pool as (
    select count(distinct content.creator_id) as creator_count
    from content
),

impressions as (
    select
        content.creator_id,
        count(*) as impression_count
    from engagement
    inner join content on engagement.content_id = content.content_id
    where engagement.event_type = 'impression'
    group by content.creator_id
),

-- Ties are broken by the id, so that the same rows give the same ranks.
ranked as (
    select
        creator_id,
        impression_count,
        row_number() over (
            order by impression_count desc, creator_id asc
        ) as exposure_rank
    from impressions
),

final as (
    select
        ranked.creator_id,
        ranked.impression_count,
        ranked.exposure_rank,
        -- Whole numbers only: the hundredth part, rounded up.
        ranked.exposure_rank <= (pool.creator_count + 99) // 100 as is_top_one_percent
    from ranked
    cross join pool
)

select * from final
