with content as (
    {{ known_rows(ref('stg_raw__content')) }}
),

engagement as (
    select * from {{ ref('int_engagement__counted') }}
),

acts as (
    select
        engagement.content_id,
        content.creator_id,
        engagement.event_type,
        engagement.watch_ms,
        content.duration_ms,
        engagement.is_counted,
        engagement.is_counted and engagement.event_type = 'view' as is_view,
        engagement.watch_ms is not null as is_timed,
        cast(engagement.occurred_at as date) as engagement_date
    from engagement
    inner join content on engagement.content_id = content.content_id
),

totals as (
    select
        content_id,
        creator_id,
        count(*) filter (where event_type = 'impression') as impression_count,
        count(*) filter (where is_view) as view_count,
        -- A view of unknown watch time was neither long nor broken off.
        count(*) filter (where is_view and is_timed) as timed_view_count,
        count(*) filter (
            where is_view and is_timed and duration_ms > 0
        ) as measurable_view_count,
        count(*) filter (where is_view and watch_ms < 3000) as short_play_count,
        count(*) filter (
            where is_view and duration_ms > 0 and watch_ms >= duration_ms
        ) as complete_play_count,
        count(*) filter (where is_counted and event_type = 'like') as like_count,
        count(*) filter (where is_counted and event_type = 'comment') as comment_count,
        count(*) filter (where is_counted and event_type = 'share') as share_count,
        count(*) filter (
            where is_counted and event_type = 'not_interested'
        ) as not_interested_count,
        cast(coalesce(sum(watch_ms) filter (where is_view), 0) as bigint) as watch_ms,
        engagement_date
    from acts
    group by content_id, creator_id, engagement_date
),

final as (
    select
        content_id || '|' || cast(engagement_date as varchar) as content_day_id,
        content_id,
        creator_id,
        impression_count,
        view_count,
        timed_view_count,
        measurable_view_count,
        short_play_count,
        complete_play_count,
        like_count,
        comment_count,
        share_count,
        not_interested_count,
        watch_ms,
        engagement_date
    from totals
)

select * from final
