-- The labels of a stratum stand for the whole of it: their weights add up to its size.
-- While some of its responses are not known yet they add up to less, never to more.
with sampling_designs as (
    select * from {{ ref('stg_raw__sampling_designs') }}
),

quality_reviews as (
    select * from {{ ref('fct_quality_reviews') }}
),

strata as (
    select
        sampling_designs.design_id,
        sampling_designs.stratum,
        sampling_designs.frame_size,
        sampling_designs.response_count,
        count(*) as label_count,
        sum(quality_reviews.review_weight) as total_weight
    from quality_reviews
    inner join sampling_designs
        on
            quality_reviews.design_id = sampling_designs.design_id
            and quality_reviews.stratum = sampling_designs.stratum
    where sampling_designs.response_count > 0
    group by all
),

final as (
    select * from strata
    where
        total_weight > frame_size * (1 + 1e-9)
        or (
            label_count = response_count
            and total_weight < frame_size * (1 - 1e-9)
        )
)

select * from final
