-- Reads newly delivered rows only. What joins to a row lies between its occurred_at and
-- its ingested_at; nothing joins to an act, and an action matters on its own day.
with engagement as (
    select * from {{ ref('stg_raw__engagement') }}
),

enforcements as (
    select * from {{ ref('stg_raw__enforcements') }}
),

content as (
    select * from {{ ref('stg_raw__content') }}
),

creator_status as (
    select * from {{ ref('stg_raw__creator_status') }}
),

accounts as (
    select * from {{ ref('stg_raw__accounts') }}
),

clock as (
    select
        as_of_at,
        coalesce(previous_as_of_at, timestamp '1970-01-01') as previous_as_of_at
    from {{ ref('int_build__clock') }}
),

-- A version that says nothing new of what the days are made of touches none of them.
stretches as (
    {% for table in ['engagement', 'enforcements'] %}
        select distinct
            cast({{ table }}.occurred_at as date) as first_date,
            cast({{ table }}.occurred_at as date) as last_date,
            false as touches_items
        from {{ table }}
        where
            {{ table }}.ingested_at > (select clock.previous_as_of_at from clock)
            and {{ table }}.ingested_at <= (select clock.as_of_at from clock)
        union all
    {% endfor %}
    {% for table, said in [
        ('content', ['content_id', 'creator_id', 'duration_ms']),
        ('creator_status', ['creator_id', 'occurred_at', 'tier']),
        ('accounts', ['account_id', 'account_kind']),
    ] %}
        select distinct
            cast({{ table }}.occurred_at as date) as first_date,
            cast({{ table }}.ingested_at as date) as last_date,
            {{ 'true' if table == 'content' else 'false' }} as touches_items
        from {{ table }}
        where
            {{ table }}.ingested_at > (select clock.previous_as_of_at from clock)
            and {{ table }}.ingested_at <= (select clock.as_of_at from clock)
            and not exists (
                select 1 from {{ table }} as earlier
                where
                    earlier.ingested_at <= (select clock.previous_as_of_at from clock)
                    {% for column in said %}
                        and {{ table }}.{{ column }}
                        is not distinct from earlier.{{ column }}
                    {% endfor %}
            )
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

touched as (
    select
        cast(unnest(generate_series(
            stretches.first_date, stretches.last_date, interval 1 day
        )) as date) as event_date,
        stretches.touches_items
    from stretches
    {% if var('backfill_from') -%}
        union all
        select
            cast(unnest(generate_series(
                date '{{ var("backfill_from") }}',
                date '{{ var("backfill_to") }}',
                interval 1 day
            )) as date) as event_date,
            true as touches_items
    {%- endif %}
),

final as (
    select
        bool_or(touched.touches_items) as touches_items,
        touched.event_date
    from touched
    group by touched.event_date
)

select * from final
