with posting as (
    select * from {{ ref('feat_creator__posting') }}
    where as_of_at > {{ previous_as_of() }}
),

audience as (
    select * from {{ ref('feat_creator__audience') }}
    where as_of_at > {{ previous_as_of() }}
),

account as (
    select * from {{ ref('feat_creator__account') }}
    where as_of_at > {{ previous_as_of() }}
),

devices as (
    select * from {{ ref('feat_creator__devices') }}
    where as_of_at > {{ previous_as_of() }}
),

record as (
    select * from {{ ref('feat_creator__record') }}
    where as_of_at > {{ previous_as_of() }}
),

raw_set as (
    select * from {{ ref('stg_raw__raw_set') }}
),

absent as (
    select
        coalesce(
            list_transform(raw_set.absent_tables, lambda row: row.table_name), []
        ) as table_names
    from raw_set
),

-- What no row means: 0 where the source has the table, unknown where it has not.
nothing as (
    select
        case when not list_contains(table_names, 'engagement') then 0 end as engagement,
        case when not list_contains(table_names, 'follows') then 0 end as follows,
        case when not list_contains(table_names, 'account_events') then 0 end
            as account_events,
        case when not list_contains(table_names, 'user_reports') then 0 end
            as user_reports,
        case when not list_contains(table_names, 'violations') then 0 end as violations,
        case when not list_contains(table_names, 'appeals') then 0 end as appeals
    from absent
),

final as (
    select
        posting.creator_id,
        account.creator_tier,
        posting.post_count_1d,
        posting.post_count_7d,
        posting.post_count_28d,
        posting.post_hour_entropy_28d,
        posting.duplicate_caption_rate_28d,
        posting.duplicate_audio_rate_28d,
        posting.link_rate_28d,
        posting.product_link_rate_28d,
        posting.aigc_declared_rate_28d,
        coalesce(audience.view_count_7d, nothing.engagement) as view_count_7d,
        audience.short_play_rate_7d,
        audience.like_rate_7d,
        audience.comment_rate_7d,
        audience.share_rate_7d,
        audience.not_interested_rate_7d,
        coalesce(account.follower_gain_7d, nothing.follows) as follower_gain_7d,
        account.account_age_days,
        coalesce(devices.shared_device_account_count, nothing.account_events)
            as shared_device_account_count,
        coalesce(record.report_count_28d, nothing.user_reports) as report_count_28d,
        coalesce(record.violation_count_90d, nothing.violations) as violation_count_90d,
        coalesce(record.appeal_count_90d, nothing.appeals) as appeal_count_90d,
        coalesce(record.appeal_overturned_count_90d, nothing.appeals)
            as appeal_overturned_count_90d,
        posting.as_of_at
    from posting
    cross join nothing
    inner join account
        on
            posting.creator_id = account.creator_id
            and posting.as_of_at = account.as_of_at
    left join audience
        on
            posting.creator_id = audience.creator_id
            and posting.as_of_at = audience.as_of_at
    left join devices
        on
            posting.creator_id = devices.creator_id
            and posting.as_of_at = devices.as_of_at
    left join record
        on
            posting.creator_id = record.creator_id
            and posting.as_of_at = record.as_of_at
)

select * from final
