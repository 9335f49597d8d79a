with content as (
    {{ first_known_rows(
        ref('stg_raw__content'), 'occurred_at > ' ~ previous_as_of() ~ ' - interval 31 day'
    ) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

hours as (
    select
        content.creator_id,
        count(*) as post_count_1h,
        count(content.caption_hash) - count(distinct content.caption_hash)
            as repeat_caption_count_1h,
        {{ hour_from('content.ingested_at') }} as as_of_at
    from content
    where
        content.ingested_at > {{ previous_as_of() }} - interval 29 day
        and {{ is_fresh('content.occurred_at', 'content.ingested_at') }}
    group by content.creator_id, as_of_at
),

windowed as (
    select
        hours.creator_id,
        hours.post_count_1h,
        hours.repeat_caption_count_1h,
        coalesce(sum(hours.post_count_1h) over (
            partition by hours.creator_id
            order by hours.as_of_at
            range between interval 28 day preceding and interval 1 hour preceding
        ), 0) as earlier_post_count_28d,
        hours.as_of_at
    from hours
),

final as (
    select
        windowed.creator_id,
        windowed.post_count_1h,
        windowed.repeat_caption_count_1h,
        cast(windowed.earlier_post_count_28d as bigint) as earlier_post_count_28d,
        windowed.as_of_at
    from windowed
    inner join clock on windowed.as_of_at <= clock.as_of_at
    where
        windowed.post_count_1h >= 3
        and windowed.as_of_at > {{ previous_as_of() }}
)

select * from final
