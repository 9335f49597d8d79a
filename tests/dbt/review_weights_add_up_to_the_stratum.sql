-- The labels of a stratum stand for the whole of it, no more and no less, however many
-- of them are known; and no stratum has more labels than items.
with sampling_designs as (
    {{ known_rows(ref('stg_raw__sampling_designs')) }}
),

quality_reviews as (
    select * from {{ ref('fct_quality_reviews') }}
),

strata as (
    select
        sampling_designs.design_id,
        sampling_designs.stratum,
        sampling_designs.frame_size,
        count(*) as label_count,
        sum(quality_reviews.review_weight) as total_weight
    from quality_reviews
    inner join sampling_designs
        on
            quality_reviews.design_id = sampling_designs.design_id
            and quality_reviews.stratum = sampling_designs.stratum
    group by
        sampling_designs.design_id,
        sampling_designs.stratum,
        sampling_designs.frame_size
),

final as (
    select * from strata
    where
        abs(total_weight - frame_size) > frame_size * 1e-9
        or label_count > frame_size
)

select * from final
