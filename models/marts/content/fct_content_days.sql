{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='engagement_date',
    on_schema_change='append_new_columns',
) }}

with content_days as (
    select * from {{ ref('int_content_days__counted') }}
    where {{ is_touched('event_date') }}
),

creator_status as (
    select * from {{ ref('int_creator_status__dated') }}
),

-- The whole day has the tier of its first act: what a day brings comes after it.
final as (
    select
        content_days.content_id
        || '|'
        || cast(content_days.event_date as varchar) as content_day_id,
        content_days.content_id,
        content_days.creator_id,
        coalesce(creator_status.tier, 'unknown') as tier_at_event,
        content_days.impression_count,
        content_days.view_count,
        content_days.timed_view_count,
        content_days.measurable_view_count,
        content_days.short_play_count,
        content_days.complete_play_count,
        content_days.like_count,
        content_days.comment_count,
        content_days.share_count,
        content_days.not_interested_count,
        content_days.watch_ms,
        content_days.event_date as engagement_date
    from content_days
    left join creator_status
        on
            content_days.creator_id = creator_status.creator_id
            and content_days.first_engaged_at >= creator_status.valid_from_at
            and content_days.first_engaged_at < coalesce(
                creator_status.valid_until_at, timestamp 'infinity'
            )
)

select * from final
