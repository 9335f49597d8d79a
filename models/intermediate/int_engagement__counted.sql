{{ config(materialized='view') }}

with engagement as (
    {{ known_rows(ref('stg_raw__engagement')) }}
),

final as (
    select
        engagement.engagement_id,
        engagement.viewer_id,
        engagement.content_id,
        engagement.event_type,
        engagement.watch_ms,
        -- The one place that says which acts count. Owner and ad traffic says nothing
        -- about what viewers want.
        not engagement.is_owner and not engagement.is_ad as is_counted,
        engagement.occurred_at
    from engagement
)

select * from final
