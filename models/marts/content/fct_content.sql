{{ config(
    materialized='incremental',
    on_schema_change='append_new_columns',
    meta={'touched': {'kind': 'content_id', 'key': 'content_id'}},
) }}

with content as (
    {{ known_rows(ref('stg_raw__content'), is_touched_key('content_id')) }}
),

creator_status as (
    select * from {{ ref('int_creator_status__dated') }}
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
        coalesce(creator_status.tier, 'unknown') as tier_at_event,
        coalesce(creator_status.status, 'unknown') as status_at_event,
        content.is_aigc_declared,
        content.aigc_detector_score >= 0.5 as is_aigc_detected,
        content.product_id is not null as is_product_linked,
        content.occurred_at < clock.mature_before_at as is_mature,
        cast(content.occurred_at as date) as upload_date,
        content.occurred_at as uploaded_at
    from content
    left join creator_status
        on
            content.creator_id = creator_status.creator_id
            and content.occurred_at >= creator_status.valid_from_at
            and content.occurred_at < coalesce(
                creator_status.valid_until_at, timestamp 'infinity'
            )
    cross join clock
)

select * from final
