with fingerprints as (
    select * from {{ ref('int_content__fingerprinted') }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

hours as (
    select
        fingerprints.fingerprint_hash,
        fingerprints.fingerprint_kind,
        count(*) as post_count_1h,
        count(distinct fingerprints.creator_id) as creator_count_1h,
        {{ hour_from('fingerprints.known_at') }} as as_of_at
    from fingerprints
    where
        fingerprints.known_at > {{ previous_as_of() }} - interval 29 day
        and {{ is_fresh('fingerprints.occurred_at', 'fingerprints.known_at') }}
    group by fingerprints.fingerprint_hash, fingerprints.fingerprint_kind, as_of_at
),

windowed as (
    select
        hours.fingerprint_hash,
        hours.fingerprint_kind,
        hours.post_count_1h,
        hours.creator_count_1h,
        coalesce(sum(hours.post_count_1h) over (
            partition by hours.fingerprint_kind, hours.fingerprint_hash
            order by hours.as_of_at
            range between interval 28 day preceding and interval 1 hour preceding
        ), 0) as earlier_post_count_28d,
        hours.as_of_at
    from hours
),

final as (
    select
        windowed.fingerprint_hash,
        windowed.fingerprint_kind,
        windowed.post_count_1h,
        windowed.creator_count_1h,
        cast(windowed.earlier_post_count_28d as bigint) as earlier_post_count_28d,
        windowed.as_of_at
    from windowed
    inner join clock on windowed.as_of_at <= clock.as_of_at
    where
        windowed.post_count_1h >= 3
        and windowed.as_of_at > {{ previous_as_of() }}
)

select * from final
