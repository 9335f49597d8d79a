with content as (
    {{ known_rows(ref('stg_raw__content')) }}
),

engagement as (
    select * from {{ ref('int_engagement__counted') }}
),

creator_status as (
    select * from {{ ref('int_creator_status__dated') }}
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
        cast(engagement.occurred_at as date) as engagement_date,
        engagement.occurred_at
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
        engagement_date,
        min(occurred_at) as first_engaged_at
    from acts
    group by content_id, creator_id, engagement_date
),

-- The whole day has the tier of its first act: what a day brings comes after it.
final as (
    select
        totals.content_id
        || '|'
        || cast(totals.engagement_date as varchar) as content_day_id,
        totals.content_id,
        totals.creator_id,
        coalesce(creator_status.tier, 'unknown') as tier_at_event,
        totals.impression_count,
        totals.view_count,
        totals.timed_view_count,
        totals.measurable_view_count,
        totals.short_play_count,
        totals.complete_play_count,
        totals.like_count,
        totals.comment_count,
        totals.share_count,
        totals.not_interested_count,
        totals.watch_ms,
        totals.engagement_date
    from totals
    left join creator_status
        on
            totals.creator_id = creator_status.creator_id
            and totals.first_engaged_at >= creator_status.valid_from_at
            and coalesce(totals.first_engaged_at < creator_status.valid_until_at, true)
)

select * from final
