with content as (
    {{ known_rows(ref('stg_raw__content')) }}
),

content_days as (
    select * from {{ ref('int_content_days__counted') }}
),

pool as (
    select count(distinct content.creator_id) as creator_count
    from content
),

impressions as (
    select
        content_days.creator_id,
        cast(sum(content_days.impression_count) as bigint) as impression_count
    from content_days
    where content_days.impression_count > 0
    group by content_days.creator_id
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
