-- depends_on: {{ ref('int_engagement__counted') }}
-- No view is lost or counted twice between staging and fct_content_days, on any day. A
-- build that adds holds the acts that were delivered since against staging, and all
-- acts of the days that it touches against fct_content_days.
{% set since = recorded_as_of() %}
{% set adds = flags.WHICH == 'build' and since != nothing_recorded() %}
{% set is_counted_view = "event_type = 'view' and not is_owner and not is_ad" %}
with clock as (
    select * from {{ ref('int_build__clock') }}
),

touched_dates as (
    select * from {{ ref('int_build__touched_dates') }}
),

engagement as (
    select * from {{ ref('stg_raw__engagement') }}
    where
        ingested_at <= (select clock.as_of_at from clock)
        {% if adds %}
            and ingested_at >= cast({{ since }} as date)
        {% else %}
            and {{ is_counted_view }}
        {% endif %}
),

content_days as (
    select * from {{ ref('fct_content_days') }}
    where {{ is_tested('engagement_date') }}
),

-- By a number of 8 bytes, which is cheap: two acts of the same number would fail the
-- test, not pass it.
staged as (
    select
        cast(engagement.occurred_at as date) as event_date,
        count(distinct hash(engagement.engagement_id)) as act_count
    from engagement
    group by event_date
),

in_days as (
    select
        content_days.engagement_date as event_date,
        sum(content_days.view_count) as act_count
    from content_days
    group by content_days.engagement_date
),

{% if adds %}
    delivered as (
        select
            event_date,
            count(*) as act_count
        from {{ ref('int_engagement__counted') }}
        where delivered_date >= cast({{ since }} as date)
        group by event_date
    ),

    viewed as (
        select
            event_date,
            count(*) as act_count
        from {{ ref('int_engagement__counted') }}
        where {{ is_tested('event_date') }} and event_type = 'view' and is_counted
        group by event_date
    ),
{% endif %}

pairs as (
    {% for left, right in ([('staged', 'delivered'), ('viewed', 'in_days')] if adds else [('staged', 'in_days')]) %}
        select
            '{{ left }}' as first_count_of,
            coalesce({{ left }}.event_date, {{ right }}.event_date) as event_date,
            coalesce({{ left }}.act_count, 0) as first_count,
            coalesce({{ right }}.act_count, 0) as second_count
        from {{ left }}
        full outer join {{ right }} on {{ left }}.event_date = {{ right }}.event_date
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (
    select * from pairs
    where first_count != second_count
)

select * from final
