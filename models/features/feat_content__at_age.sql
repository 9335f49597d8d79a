with content as (
    {{ first_known_rows(
        ref('stg_raw__content'), 'occurred_at > ' ~ previous_as_of() ~ ' - interval 29 day'
    ) }}
),

duplicates as (
    select * from {{ ref('int_content__duplicated') }}
),

steps as (
    select * from {{ ref('int_content__aged') }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

absent as (
    select * from {{ ref('int_raw_set__absent') }}
),

ages as (
    select unnest([1, 7, 28]) as age_days
),

items as (
    select
        content.content_id,
        ages.age_days,
        content.aigc_detector_score,
        content.occurred_at + to_days(ages.age_days) as as_of_at
    from content
    cross join ages
    cross join clock
    where
        content.occurred_at + to_days(ages.age_days) > {{ previous_as_of() }}
        and content.occurred_at + to_days(ages.age_days) <= clock.as_of_at
        and content.ingested_at <= content.occurred_at + to_days(ages.age_days)
),

-- What was known by an age is what was first known at it or at a younger one.
totals as (
    select
        steps.content_id,
        ages.age_days,
        sum(steps.impression_count) as impression_count,
        sum(steps.view_count) as view_count,
        sum(steps.like_count) as like_count,
        sum(steps.comment_count) as comment_count,
        sum(steps.share_count) as share_count,
        sum(steps.not_interested_count) as not_interested_count,
        sum(steps.text_count) as text_count,
        sum(steps.new_text_count) as new_text_count,
        sum(steps.report_count) as report_count
    from steps
    inner join ages on steps.age_days <= ages.age_days
    where steps.content_id in (select items.content_id from items)
    group by steps.content_id, ages.age_days
),

final as (
    select
        items.content_id,
        items.age_days,
        case
            when not list_contains(absent.table_names, 'engagement')
                then cast(coalesce(totals.view_count, 0) as bigint)
        end as view_count,
        totals.like_count / nullif(totals.view_count, 0) as like_rate,
        totals.comment_count / nullif(totals.view_count, 0) as comment_rate,
        totals.share_count / nullif(totals.view_count, 0) as share_rate,
        totals.not_interested_count / nullif(totals.impression_count, 0)
            as not_interested_rate,
        (totals.text_count - totals.new_text_count) / nullif(totals.text_count, 0)
            as duplicate_comment_rate,
        case
            when not list_contains(absent.table_names, 'user_reports')
                then cast(coalesce(totals.report_count, 0) as bigint)
        end as report_count,
        duplicates.caption_count as duplicate_caption_count_28d,
        duplicates.audio_count as duplicate_audio_count_28d,
        duplicates.link_count as duplicate_link_count_28d,
        items.aigc_detector_score,
        items.as_of_at
    from items
    cross join absent
    left join totals
        on items.content_id = totals.content_id and items.age_days = totals.age_days
    left join duplicates on items.content_id = duplicates.content_id
)

select * from final
