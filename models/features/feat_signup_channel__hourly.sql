with account_events as (
    {{ first_known_rows(
        ref('stg_raw__account_events'), 'occurred_at > ' ~ previous_as_of() ~ ' - interval 31 day'
    ) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

events as (
    select
        coalesce(account_events.region, 'unknown') as region,
        coalesce(account_events.signup_channel, 'unknown') as signup_channel,
        account_events.event_type,
        account_events.device_hash,
        {{ hour_from('account_events.ingested_at') }} as as_of_at
    from account_events
    where
        account_events.event_type != 'log_in'
        and account_events.ingested_at > {{ previous_as_of() }} - interval 29 day
        and {{ is_fresh('account_events.occurred_at', 'account_events.ingested_at') }}
),

-- Attempts alone say how many devices there are: a success repeats its attempt.
hours as (
    select
        events.region,
        events.signup_channel,
        count(*) filter (where events.event_type = 'sign_up_attempt')
            as attempt_count_1h,
        count(*) filter (where events.event_type = 'sign_up_blocked')
            as blocked_count_1h,
        count(*) filter (where events.event_type = 'sign_up')
            as sign_up_count_1h,
        count(distinct events.device_hash) filter (
            where events.event_type = 'sign_up_attempt'
        ) as attempt_device_count_1h,
        events.as_of_at
    from events
    group by events.region, events.signup_channel, events.as_of_at
),

windowed as (
    select
        hours.region,
        hours.signup_channel,
        hours.attempt_count_1h,
        hours.blocked_count_1h,
        hours.sign_up_count_1h,
        hours.attempt_device_count_1h,
        coalesce(sum(hours.attempt_count_1h) over (
            partition by hours.region, hours.signup_channel
            order by hours.as_of_at
            range between interval 28 day preceding and interval 1 hour preceding
        ), 0) as earlier_attempt_count_28d,
        hours.as_of_at
    from hours
),

final as (
    select
        windowed.region,
        windowed.signup_channel,
        windowed.attempt_count_1h,
        windowed.blocked_count_1h,
        windowed.sign_up_count_1h,
        windowed.attempt_device_count_1h,
        cast(windowed.earlier_attempt_count_28d as bigint) as earlier_attempt_count_28d,
        windowed.as_of_at
    from windowed
    inner join clock on windowed.as_of_at <= clock.as_of_at
    where
        windowed.attempt_count_1h >= 3
        and windowed.as_of_at > {{ previous_as_of() }}
)

select * from final
