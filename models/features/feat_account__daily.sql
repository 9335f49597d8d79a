with active_days as (
    select * from {{ ref('int_account_days__active') }}
    where as_of_at > {{ previous_as_of() }}
),

links as (
    select * from {{ ref('int_account_days__linked') }}
    where as_of_at > {{ previous_as_of() }}
),

comments as (
    select * from {{ ref('int_comments__repeated') }}
    where as_of_at > {{ previous_as_of() }}
),

absent as (
    select * from {{ ref('int_raw_set__absent') }}
),

-- What no row means: 0 where the source has the table, unknown where it has not.
nothing as (
    select
        case when not list_contains(table_names, 'engagement') then 0 end as engagement,
        case when not list_contains(table_names, 'account_events') then 0 end
            as account_events
    from absent
),

final as (
    select
        active_days.account_id,
        active_days.log_in_count + nothing.account_events as log_in_count_1d,
        coalesce(links.device_count, nothing.account_events) as device_count_28d,
        coalesce(links.network_count, nothing.account_events) as network_count_28d,
        links.device_other_account_count as shared_device_account_count_28d,
        links.network_other_account_count as shared_network_account_count_28d,
        links.payment_other_account_count as shared_payment_account_count_28d,
        active_days.engagement_count + nothing.engagement as engagement_count_1d,
        active_days.engagement_hour_entropy as engagement_hour_entropy_1d,
        comments.repeat_count / nullif(comments.comment_count, 0)
            as repeat_comment_rate_1d,
        active_days.as_of_at
    from active_days
    cross join nothing
    left join links
        on
            active_days.account_id = links.account_id
            and active_days.as_of_at = links.as_of_at
    left join comments
        on
            active_days.account_id = comments.account_id
            and active_days.as_of_at = comments.as_of_at
)

select * from final
