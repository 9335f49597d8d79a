-- The join to the history of creators neither drops nor multiplies rows: each mart has
-- as many as what it was made from. Its key is unique besides.
{% set grains = {
    'fct_content': ('stg_raw__content', 'content_id'),
    'fct_content_days': (
        'int_content_days__counted', "content_id || '|' || cast(event_date as varchar)"
    ),
    'fct_violations': ('stg_raw__violations', 'violation_id'),
    'fct_actions': ('stg_raw__enforcements', 'enforcement_id'),
    'fct_quality_reviews': ('int_quality_reviews__grouped', 'quality_review_id'),
} %}
with clock as (
    select * from {{ ref('int_build__clock') }}
),

counts as (
    {% for mart, (origin, key) in grains.items() %}
        select
            '{{ mart }}' as mart,
            (select count(*) from {{ ref(mart) }}) as mart_count,
            count(distinct {{ key }}) as origin_count
        from {{ ref(origin) }}
        {% if origin.startswith('stg_') %}
            where ingested_at <= (select clock.as_of_at from clock)
        {% endif %}
        union all
    {% endfor %}
    select
        'fct_creator_days' as mart,
        (select count(*) from {{ ref('fct_creator_days') }}) as mart_count,
        count(
            distinct posts.creator_id || '|' || cast(days.status_date as varchar)
        ) as origin_count
    from {{ ref('int_creator_posts__daily') }} as posts
    cross join clock
    cross join
        unnest(generate_series(
            posts.activity_date, posts.activity_date + 27, interval 1 day
        )) as days (status_date)
    where days.status_date < clock.as_of_at
),

final as (
    select * from counts
    where mart_count != origin_count
)

select * from final
