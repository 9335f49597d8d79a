with raw_set as (
    select * from {{ ref('stg_raw__raw_set') }}
),

policies as (
    select * from {{ ref('policies') }}
),

clock as (
    select
        raw_set.raw_set_id,
        coalesce(
            cast(nullif('{{ var("as_of") }}', '') as timestamp),
            raw_set.newest_ingested_at
        ) as as_of_at,
        {{ recorded_as_of() }} as previous_as_of_at
    from raw_set
),

delays as (
    select
        cast(
            max(policies.label_maturity_days + policies.appeal_window_days) as integer
        ) as maturity_days
    from policies
),

final as (
    select
        clock.raw_set_id,
        delays.maturity_days,
        clock.as_of_at,
        clock.previous_as_of_at,
        clock.as_of_at - to_days(delays.maturity_days) as mature_before_at
    from clock
    cross join delays
)

select * from final
