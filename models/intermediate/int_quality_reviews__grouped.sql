with quality_reviews as (
    {{ known_rows(ref('stg_raw__quality_reviews')) }}
),

sampling_designs as (
    {{ known_rows(ref('stg_raw__sampling_designs')) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

-- Gold items measure reviewers, second reviews measure agreement: neither is the label.
-- A label whose design is not known yet has no frame and no weight, and waits for it.
deciding as (
    select
        quality_reviews.quality_review_id,
        quality_reviews.cluster_id,
        quality_reviews.stratum,
        sampling_designs.frame,
        -- Adjusted for non-response: the labels known so far stand for the whole
        -- stratum. The design's count of responses is a later one and would look ahead.
        sampling_designs.frame_size / count(*) over (
            partition by quality_reviews.design_id, quality_reviews.stratum
        ) as review_weight
    from quality_reviews
    inner join clock on quality_reviews.reviewed_at <= clock.as_of_at
    inner join sampling_designs
        on
            quality_reviews.design_id = sampling_designs.design_id
            and quality_reviews.stratum = sampling_designs.stratum
    where not quality_reviews.is_double and not quality_reviews.is_gold
),

-- A cluster can be drawn by several designs of a frame, and must stay in one group.
clusters as (
    select
        frame,
        cluster_id,
        min(stratum) as first_stratum
    from deciding
    group by frame, cluster_id
),

-- Dealt out in order, so that every group gets its share of every stratum. No hash: the
-- groups must not change with the version of a database.
dealt as (
    select
        frame,
        cluster_id,
        cast((
            row_number() over (
                partition by frame order by first_stratum, cluster_id
            ) - 1
        ) % 20 as integer) as replicate_group
    from clusters
),

final as (
    select
        deciding.quality_review_id,
        deciding.frame,
        dealt.replicate_group,
        deciding.review_weight
    from deciding
    inner join dealt
        on
            deciding.frame = dealt.frame
            and deciding.cluster_id = dealt.cluster_id
)

select * from final
