-- 30 days after a frame ended every response that its design counts has its label here.
-- Held at the default clock only: a design's count of responses is a later one, so an
-- earlier clock knows fewer.
with raw_set as (
    select * from {{ ref('stg_raw__raw_set') }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

sampling_designs as (
    {{ known_rows(ref('stg_raw__sampling_designs')) }}
),

quality_reviews as (
    select * from {{ ref('fct_quality_reviews') }}
),

labels as (
    select
        quality_reviews.design_id,
        quality_reviews.stratum,
        count(*) as label_count
    from quality_reviews
    group by quality_reviews.design_id, quality_reviews.stratum
),

old_strata as (
    select
        sampling_designs.design_id,
        sampling_designs.stratum,
        sampling_designs.response_count
    from sampling_designs
    cross join clock
    cross join raw_set
    where
        clock.as_of_at >= raw_set.newest_ingested_at
        and sampling_designs.frame_ends_at < clock.as_of_at - interval 30 day
),

final as (
    select
        old_strata.design_id,
        old_strata.stratum,
        old_strata.response_count,
        coalesce(labels.label_count, 0) as label_count
    from old_strata
    left join labels
        on
            old_strata.design_id = labels.design_id
            and old_strata.stratum = labels.stratum
    where coalesce(labels.label_count, 0) < old_strata.response_count
)

select * from final
