with sums as (
    select * from {{ ref('int_engagement__summed') }}
    where
        counted_count > 0
        and occurred_by_at > {{ previous_as_of() }} - interval 7 day
),

content as (
    {{ first_known_rows(ref('stg_raw__content')) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

-- By day of the event and day of knowing it: 7-day windows then cost little.
days as (
    select
        content.creator_id,
        sums.occurred_by_at,
        greatest(sums.known_by_at, {{ midnight_from('content.ingested_at') }})
            as known_at,
        sum(sums.impression_count) as impression_count,
        sum(sums.view_count) as view_count,
        sum(sums.timed_view_count) as timed_view_count,
        sum(sums.short_play_count) as short_play_count,
        sum(sums.like_count) as like_count,
        sum(sums.comment_count) as comment_count,
        sum(sums.share_count) as share_count,
        sum(sums.not_interested_count) as not_interested_count
    from sums
    inner join content on sums.content_id = content.content_id
    group by content.creator_id, sums.occurred_by_at, known_at
),

windowed as (
    select
        days.creator_id,
        days.impression_count,
        days.view_count,
        days.timed_view_count,
        days.short_play_count,
        days.like_count,
        days.comment_count,
        days.share_count,
        days.not_interested_count,
        {{ as_of_midnights('days.occurred_by_at', 'days.known_at', 7) }} as as_of_at
    from days
),

counts as (
    select
        windowed.creator_id,
        windowed.as_of_at,
        sum(windowed.impression_count) as impression_count,
        sum(windowed.view_count) as view_count,
        sum(windowed.timed_view_count) as timed_view_count,
        sum(windowed.short_play_count) as short_play_count,
        sum(windowed.like_count) as like_count,
        sum(windowed.comment_count) as comment_count,
        sum(windowed.share_count) as share_count,
        sum(windowed.not_interested_count) as not_interested_count
    from windowed
    group by windowed.creator_id, windowed.as_of_at
),

final as (
    select
        counts.creator_id,
        cast(counts.view_count as bigint) as view_count_7d,
        counts.short_play_count / nullif(counts.timed_view_count, 0)
            as short_play_rate_7d,
        counts.like_count / nullif(counts.view_count, 0) as like_rate_7d,
        counts.comment_count / nullif(counts.view_count, 0) as comment_rate_7d,
        counts.share_count / nullif(counts.view_count, 0) as share_rate_7d,
        counts.not_interested_count / nullif(counts.impression_count, 0)
            as not_interested_rate_7d,
        counts.as_of_at
    from counts
    cross join clock
    where counts.as_of_at <= clock.as_of_at
)

select * from final
