with user_reports as (
    {{ first_known_rows(
        ref('stg_raw__user_reports'), 'occurred_at > ' ~ previous_as_of() ~ ' - interval 29 day'
    ) }}
),

content as (
    {{ first_known_rows(ref('stg_raw__content')) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

violations as (
    select * from {{ ref('int_violations__dated') }}
),

appeals as (
    select * from {{ ref('int_appeals__dated') }}
),

-- decided_at is when a violation stops counting, or when an appeal is won.
events as (
    select
        'report' as event_type,
        content.creator_id,
        cast(null as timestamp) as decided_at,
        {{ as_of_midnights(
            'user_reports.occurred_at',
            'greatest(user_reports.ingested_at, content.ingested_at)',
            28
        ) }} as as_of_at
    from user_reports
    inner join content on user_reports.target_id = content.content_id
    where user_reports.target_type = 'content'
    union all
    select
        'violation' as event_type,
        violations.creator_id,
        violations.reversed_at as decided_at,
        {{ as_of_midnights('violations.occurred_at', 'violations.known_at', 90) }}
            as as_of_at
    from violations
    union all
    select
        'appeal' as event_type,
        appeals.creator_id,
        case
            when appeals.outcome in ('overturned', 'partial') then appeals.decided_at
        end as decided_at,
        {{ as_of_midnights('appeals.occurred_at', 'appeals.known_at', 90) }} as as_of_at
    from appeals
),

dated as (
    select
        events.event_type,
        events.creator_id,
        coalesce(events.decided_at <= events.as_of_at, false) as is_decided,
        events.as_of_at
    from events
    cross join clock
    where events.as_of_at <= clock.as_of_at
),

final as (
    select
        dated.creator_id,
        count(*) filter (where dated.event_type = 'report') as report_count_28d,
        count(*) filter (where dated.event_type = 'violation' and not dated.is_decided)
            as violation_count_90d,
        count(*) filter (where dated.event_type = 'appeal') as appeal_count_90d,
        count(*) filter (where dated.event_type = 'appeal' and dated.is_decided)
            as appeal_overturned_count_90d,
        dated.as_of_at
    from dated
    group by dated.creator_id, dated.as_of_at
)

select * from final
