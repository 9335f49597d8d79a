{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key=['event_date', 'content_id', 'known_by_at'],
    on_schema_change='append_new_columns',
    pre_hook='{{ forget_sums_made_again() }}',
    meta={'replaced_by': 'known_by_at <= {{ previous_as_of() }}'},
) }}

-- depends_on: {{ ref('int_build__touched_dates') }}
with content as (
    {{ known_rows(ref('stg_raw__content')) }}
),

uploads as (
    {{ first_known_rows(ref('stg_raw__content')) }}
),

-- Added up are the acts that became known since the day of the last build began. Of
-- those known before, what an item has of a day is added up anew if one of them was
-- delivered again, or if the item became known or changed.
{% if adds_to_itself() %}
    fresh as not materialized (
        select * from {{ ref('int_engagement__counted') }}
        where
            delivered_date >= cast({{ previous_as_of() }} as date)
            and ingested_at > cast({{ previous_as_of() }} as date)
    ),

    items_delivered as (
        select content_id from {{ ref('stg_raw__content') }}
        where
            ingested_at > {{ previous_as_of() }}
            or {{ is_backfilled('occurred_at') }}
    ),

    changed as (
        select
            content_id,
            event_date,
            {{ midnight_from('ingested_at') }} as known_by_at
        from {{ ref('int_engagement__counted') }}
        where
            delivered_date >= cast({{ previous_as_of() }} as date)
            and ingested_at <= cast({{ previous_as_of() }} as date)
        union
        select
            content_id,
            event_date,
            {{ midnight_from('ingested_at') }} as known_by_at
        from {{ ref('int_engagement__counted') }}
        where
            {{ is_touched('event_date', 'touches_items') }}
            and content_id in (
                select items_delivered.content_id from items_delivered
            )
            and ingested_at <= cast({{ previous_as_of() }} as date)
        {% if var('backfill_from') %}
            union
            select
                content_id,
                event_date,
                {{ midnight_from('ingested_at') }} as known_by_at
            from {{ ref('int_engagement__counted') }}
            where
                {{ is_backfilled('occurred_at') }}
                and ingested_at <= cast({{ previous_as_of() }} as date)
        {% endif %}
    ),

    engagement as (
        select * from fresh
        union all
        select engagement.*
        from {{ ref('int_engagement__counted') }} as engagement
        semi join changed
            on
                engagement.event_date = changed.event_date
                and engagement.content_id = changed.content_id
                and {{ midnight_from('engagement.ingested_at') }} = changed.known_by_at
        where engagement.ingested_at <= cast({{ previous_as_of() }} as date)
    ),
{% else %}
    engagement as (
        select * from {{ ref('int_engagement__counted') }}
    ),
{% endif %}

-- How long an item is, is what its newest version says; its age counts from the first.
items as (
    select
        content.content_id,
        content.duration_ms,
        uploads.occurred_at as uploaded_at,
        uploads.ingested_at as known_at
    from content
    inner join uploads on content.content_id = uploads.content_id
),

-- An act is known once its item is known too.
acts as (
    select
        engagement.content_id,
        engagement.event_type,
        case
            when
                engagement.occurred_at >= items.uploaded_at
                and greatest(engagement.ingested_at, items.known_at)
                <= items.uploaded_at + interval 28 day
                then {{ first_age(
                    'items.uploaded_at',
                    'greatest(engagement.ingested_at, items.known_at)'
                ) }}
            else 0
        end as age_days,
        engagement.watch_ms,
        items.duration_ms,
        engagement.is_counted,
        engagement.is_counted and engagement.event_type = 'view' as is_view,
        engagement.watch_ms is not null as is_timed,
        engagement.event_date,
        engagement.occurred_at,
        engagement.ingested_at
    from engagement
    inner join items on engagement.content_id = items.content_id
),

final as (
    select
        content_id,
        age_days,
        count(*) filter (where is_counted) as counted_count,
        count(*) filter (where event_type = 'impression') as shown_count,
        count(*) filter (where is_counted and event_type = 'impression')
            as impression_count,
        count(*) filter (where is_view) as view_count,
        -- A view of unknown watch time was neither long nor broken off.
        count(*) filter (where is_view and is_timed) as timed_view_count,
        count(*) filter (
            where is_view and is_timed and duration_ms > 0
        ) as measurable_view_count,
        count(*) filter (where is_view and watch_ms < 3000) as short_play_count,
        count(*) filter (
            where is_view and duration_ms > 0 and watch_ms >= duration_ms
        ) as complete_play_count,
        count(*) filter (where is_counted and event_type = 'like') as like_count,
        count(*) filter (where is_counted and event_type = 'comment') as comment_count,
        count(*) filter (where is_counted and event_type = 'share') as share_count,
        count(*) filter (
            where is_counted and event_type = 'not_interested'
        ) as not_interested_count,
        cast(coalesce(sum(watch_ms) filter (where is_view), 0) as bigint) as watch_ms,
        event_date,
        min(occurred_at) as first_engaged_at,
        min(occurred_at) filter (where is_view) as first_viewed_at,
        {{ midnight_from('occurred_at') }} as occurred_by_at,
        {{ midnight_from('ingested_at') }} as known_by_at
    from acts
    group by content_id, age_days, event_date, occurred_by_at, known_by_at
)

select * from final
