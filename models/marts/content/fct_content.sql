with content as (
    {{ known_rows(ref('stg_raw__content')) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

final as (
    select
        content.content_id,
        content.creator_id,
        content.content_kind,
        coalesce(content.category, 'unknown') as category,
        coalesce(content.language, 'unknown') as language,
        content.is_aigc_declared,
        content.aigc_detector_score >= 0.5 as is_aigc_detected,
        content.product_id is not null as is_product_linked,
        content.occurred_at < clock.mature_before_at as is_mature,
        cast(content.occurred_at as date) as upload_date,
        content.occurred_at as uploaded_at
    from content
    cross join clock
)

select * from final
