with quality_reviews as (
    {{ known_rows(ref('stg_raw__quality_reviews')) }}
),

grouped as (
    select * from {{ ref('int_quality_reviews__grouped') }}
),

policy_regimes as (
    select * from {{ ref('int_policy_regimes__dated') }}
),

creator_status as (
    select * from {{ ref('int_creator_status__dated') }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

-- One threshold for every label of a frame: by policy, violating items would mature at
-- other times than the rest, and the rate would lean.
final as (
    select
        quality_reviews.quality_review_id,
        quality_reviews.design_id,
        quality_reviews.content_id,
        quality_reviews.creator_id,
        case
            when quality_reviews.target_type = 'account' then quality_reviews.target_id
        end as account_id,
        quality_reviews.policy_id,
        grouped.frame,
        quality_reviews.stratum,
        coalesce(quality_reviews.language, 'unknown') as language,
        coalesce(policy_regimes.policy_regime, 'unknown') as policy_regime,
        coalesce(creator_status.tier, 'unknown') as tier_at_event,
        quality_reviews.policy_version,
        grouped.replicate_group,
        grouped.review_weight,
        case
            when quality_reviews.is_positive then grouped.review_weight else 0
        end as positive_weight,
        quality_reviews.is_positive,
        quality_reviews.is_aigc,
        quality_reviews.occurred_at < clock.mature_before_at as is_mature,
        cast(quality_reviews.occurred_at as date) as item_date
    from quality_reviews
    inner join grouped
        on quality_reviews.quality_review_id = grouped.quality_review_id
    left join policy_regimes
        on
            quality_reviews.occurred_at >= policy_regimes.started_at
            and quality_reviews.occurred_at < coalesce(
                policy_regimes.ended_at, timestamp 'infinity'
            )
    left join creator_status
        on
            quality_reviews.creator_id = creator_status.creator_id
            and quality_reviews.occurred_at >= creator_status.valid_from_at
            and quality_reviews.occurred_at < coalesce(
                creator_status.valid_until_at, timestamp 'infinity'
            )
    cross join clock
)

select * from final
