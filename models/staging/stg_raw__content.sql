with source as (
    select * from {{ source('raw', 'content') }}
),

final as (
    select
        cast(content_id as varchar) as content_id,
        cast(creator_id as varchar) as creator_id,
        cast(content_kind as varchar) as content_kind,
        cast(category as varchar) as category,
        cast(language as varchar) as language,
        cast(caption_hash as varchar) as caption_hash,
        cast(audio_hash as varchar) as audio_hash,
        cast(link_hash as varchar) as link_hash,
        cast(media_hash as varchar) as media_hash,
        cast(product_id as varchar) as product_id,
        cast(duration_ms as bigint) as duration_ms,
        cast(is_aigc_declared as boolean) as is_aigc_declared,
        cast(aigc_detector_score as double) as aigc_detector_score,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
