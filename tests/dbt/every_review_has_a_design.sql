-- A review waits for its design; one that no design will ever explain is a fault of the
-- source and would be left out without a word.
with quality_reviews as (
    select * from {{ ref('stg_raw__quality_reviews') }}
),

sampling_designs as (
    select * from {{ ref('stg_raw__sampling_designs') }}
),

final as (
    select
        quality_reviews.quality_review_id,
        quality_reviews.design_id,
        quality_reviews.stratum
    from quality_reviews
    left join sampling_designs
        on
            quality_reviews.design_id = sampling_designs.design_id
            and quality_reviews.stratum = sampling_designs.stratum
    where sampling_designs.design_id is null
)

select * from final
