-- Any frame with 20 clusters or more uses all groups, 0 to 19, or its intervals are too
-- short.
with quality_reviews as (
    select * from {{ ref('stg_raw__quality_reviews') }}
),

grouped as (
    select * from {{ ref('fct_quality_reviews') }}
),

frames as (
    select
        grouped.frame,
        count(distinct quality_reviews.cluster_id) as cluster_count,
        count(distinct grouped.replicate_group) as group_count,
        min(grouped.replicate_group) as first_group,
        max(grouped.replicate_group) as last_group
    from grouped
    inner join quality_reviews
        on grouped.quality_review_id = quality_reviews.quality_review_id
    group by grouped.frame
),

final as (
    select * from frames
    where
        group_count != least(cluster_count, 20)
        or first_group != 0
        or last_group != least(cluster_count, 20) - 1
)

select * from final
