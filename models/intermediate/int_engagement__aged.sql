{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='as_of_at',
    on_schema_change='append_new_columns',
) }}

with engagement as (
    select * from {{ ref('int_engagement__counted') }}
    where occurred_at > {{ previous_as_of() }} - interval 28 day
),

content as (
    {{ first_known_rows(ref('stg_raw__content')) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

-- Those that came of an age since the last build.
items as (
    select
        content.content_id,
        content.occurred_at,
        content.ingested_at
    from content
    cross join clock
    where
        {% for age in [1, 7, 28] %}
            {{ 'or' if not loop.first }} (
                content.occurred_at + interval {{ age }} day > {{ previous_as_of() }}
                and content.occurred_at + interval {{ age }} day <= clock.as_of_at
            )
        {% endfor %}
),

-- An act is known once its item is known too.
acts as (
    select
        engagement.content_id,
        engagement.event_type,
        {{ first_age(
            'items.occurred_at', 'greatest(engagement.ingested_at, items.ingested_at)'
        ) }} as age_days,
        items.occurred_at as uploaded_at
    from engagement
    inner join items
        on
            engagement.content_id = items.content_id
            and engagement.occurred_at >= items.occurred_at
    where
        engagement.is_counted
        and greatest(engagement.ingested_at, items.ingested_at)
        <= items.occurred_at + interval 28 day
),

steps as (
    select
        acts.content_id,
        acts.age_days,
        count(*) filter (where acts.event_type = 'impression') as impression_count,
        count(*) filter (where acts.event_type = 'view') as view_count,
        count(*) filter (where acts.event_type = 'like') as like_count,
        count(*) filter (where acts.event_type = 'comment') as comment_count,
        count(*) filter (where acts.event_type = 'share') as share_count,
        count(*) filter (where acts.event_type = 'not_interested')
            as not_interested_count,
        acts.uploaded_at + to_days(acts.age_days) as as_of_at
    from acts
    group by acts.content_id, acts.age_days, acts.uploaded_at
),

final as (
    select
        steps.content_id,
        steps.age_days,
        steps.impression_count,
        steps.view_count,
        steps.like_count,
        steps.comment_count,
        steps.share_count,
        steps.not_interested_count,
        steps.as_of_at
    from steps
    inner join clock on steps.as_of_at <= clock.as_of_at
    where steps.as_of_at > {{ previous_as_of() }}
)

select * from final
