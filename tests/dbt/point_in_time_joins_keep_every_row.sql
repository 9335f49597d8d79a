-- The join to the history of creators neither drops nor multiplies rows: each mart has
-- as many as what it was made from. Its key is unique besides, and that of other models
-- too; staging has versions.
{% set grains = {
    'fct_content': ('stg_raw__content', 'content_id'),
    'fct_violations': ('stg_raw__violations', 'violation_id'),
    'fct_actions': ('stg_raw__enforcements', 'enforcement_id'),
} %}
with clock as (
    select * from {{ ref('int_build__clock') }}
),

posts as (
    select
        coalesce(
            lead(creator_posts.activity_date) over (
                partition by creator_posts.creator_id
                order by creator_posts.activity_date
            ) - creator_posts.activity_date,
            28
        ) as days_to_next,
        cast(clock.as_of_at - interval 1 microsecond as date)
        - creator_posts.activity_date + 1 as days_to_clock
    from {{ ref('int_creator_posts__daily') }} as creator_posts
    cross join clock
),

counts as (
    {% for mart, (origin, key) in grains.items() %}
        select
            '{{ mart }}' as mart,
            (select count(*) from {{ ref(mart) }}) as mart_count,
            count(distinct {{ key }}) as origin_count
        from {{ ref(origin) }}
        where ingested_at <= (select clock.as_of_at from clock)
        union all
    {% endfor %}
    {% for mart, origin in {
        'fct_content_days': 'int_content_days__counted',
        'fct_quality_reviews': 'int_quality_reviews__grouped',
    }.items() %}
        select
            '{{ mart }}' as mart,
            (select count(*) from {{ ref(mart) }}) as mart_count,
            count(*) as origin_count
        from {{ ref(origin) }}
        union all
    {% endfor %}
    -- The days of a creator: 28 from each activity on, fewer if the next one or the
    -- clock comes first.
    select
        'fct_creator_days' as mart,
        (select count(*) from {{ ref('fct_creator_days') }}) as mart_count,
        coalesce(sum(least(28, posts.days_to_next, posts.days_to_clock)), 0)
            as origin_count
    from posts
),

final as (
    select * from counts
    where mart_count != origin_count
)

select * from final
