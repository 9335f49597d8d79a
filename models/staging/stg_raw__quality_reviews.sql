with source as (
    select * from {{ source('raw', 'quality_reviews') }}
),

final as (
    select
        cast(quality_review_id as varchar) as quality_review_id,
        cast(design_id as varchar) as design_id,
        cast(stratum as varchar) as stratum,
        cast(cluster_id as varchar) as cluster_id,
        cast(target_type as varchar) as target_type,
        cast(target_id as varchar) as target_id,
        cast(content_id as varchar) as content_id,
        cast(creator_id as varchar) as creator_id,
        cast(reviewer_id as varchar) as reviewer_id,
        cast(language as varchar) as language,
        cast(policy_id as varchar) as policy_id,
        cast(policy_version as bigint) as policy_version,
        cast(inclusion_probability as double) as inclusion_probability,
        cast(is_positive as boolean) as is_positive,
        cast(is_aigc as boolean) as is_aigc,
        cast(is_double as boolean) as is_double,
        cast(is_gold as boolean) as is_gold,
        cast(gold_is_positive as boolean) as gold_is_positive,
        cast(reviewed_at as timestamp) as reviewed_at,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
