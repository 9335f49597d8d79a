{{ config(
    materialized='incremental',
    on_schema_change='append_new_columns',
    meta={'touched': {'kind': 'acted_content_id', 'key': 'content_id'}},
) }}

with first_events as (
    select * from {{ ref('int_content__first_events') }}
    where {{ is_touched_key('acted_content_id', 'content_id') }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

final as (
    select
        first_events.content_id,
        first_events.creator_id,
        first_events.view_count_total,
        first_events.view_count_before_action,
        date_diff('second', first_events.uploaded_at, first_events.actioned_at)
        / 3600 as hours_to_action,
        first_events.actioned_at is not null as is_actioned,
        first_events.removed_at is not null as is_removed,
        first_events.removed_at is not null and (
            first_events.viewed_at is null
            or first_events.removed_at <= first_events.viewed_at
        ) as is_removed_before_view,
        coalesce(
            first_events.removed_at <= first_events.uploaded_at + to_hours(24),
            false
        ) as is_removed_within_24h,
        first_events.actioned_at is not null and (
            first_events.reported_at is null
            or first_events.actioned_at < first_events.reported_at
        ) as is_actioned_before_report,
        first_events.uploaded_at < clock.mature_before_at as is_mature,
        cast(first_events.uploaded_at as date) as upload_date,
        cast(first_events.actioned_at as date) as action_date
    from first_events
    cross join clock
)

select * from final
