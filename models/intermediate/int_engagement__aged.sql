with engagement as (
    {{ known_rows(ref('stg_raw__engagement')) }}
),

content as (
    {{ known_rows(ref('stg_raw__content')) }}
),

final as (
    select
        engagement.content_id,
        {{ first_age('content.occurred_at', 'engagement.ingested_at') }} as age_days,
        count(*) filter (where engagement.event_type = 'impression')
            as impression_count,
        count(*) filter (where engagement.event_type = 'view') as view_count,
        count(*) filter (where engagement.event_type = 'like') as like_count,
        count(*) filter (where engagement.event_type = 'comment') as comment_count,
        count(*) filter (where engagement.event_type = 'share') as share_count,
        count(*) filter (where engagement.event_type = 'not_interested')
            as not_interested_count
    from engagement
    inner join content on engagement.content_id = content.content_id
    where
        not engagement.is_owner
        and not engagement.is_ad
        and engagement.ingested_at <= content.occurred_at + interval 28 day
    group by engagement.content_id, age_days
)

select * from final
