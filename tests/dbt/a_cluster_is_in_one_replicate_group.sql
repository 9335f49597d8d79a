-- Leaving out a group must leave out whole clusters.
with quality_reviews as (
    select * from {{ ref('stg_raw__quality_reviews') }}
),

grouped as (
    select * from {{ ref('fct_quality_reviews') }}
),

final as (
    select
        grouped.frame,
        quality_reviews.cluster_id
    from grouped
    inner join quality_reviews
        on grouped.quality_review_id = quality_reviews.quality_review_id
    group by grouped.frame, quality_reviews.cluster_id
    having count(distinct grouped.replicate_group) > 1
)

select * from final
