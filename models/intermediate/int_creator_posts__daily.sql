{{ config(
    materialized='incremental',
    on_schema_change='append_new_columns',
    meta={'touched': {'kind': 'creator_id', 'key': 'creator_id', 'date': 'activity_date'}},
) }}

with content as (
    {{ known_rows_of(
        ref('stg_raw__content'),
        is_touched_since('creator_id', 'cast(occurred_at as date)'),
    ) }}
),

live_sessions as (
    {{ known_rows_of(
        ref('stg_raw__live_sessions'),
        is_touched_since('creator_id', 'cast(occurred_at as date)'),
    ) }}
),

violations as (
    select * from {{ ref('int_violations__judged') }}
),

violations_by_content as (
    select
        violations.content_id,
        count(*) as upheld_violation_count
    from violations
    where violations.is_upheld and violations.content_id is not null
    group by violations.content_id
),

-- A LIVE that is an item counts as a post already; any other still shows activity.
activities as (
    select
        content.creator_id,
        1 as post_count,
        coalesce(violations_by_content.upheld_violation_count, 0) as violation_count,
        content.occurred_at,
        content.ingested_at
    from content
    left join violations_by_content
        on content.content_id = violations_by_content.content_id
    union all
    select
        live_sessions.creator_id,
        0 as post_count,
        0 as violation_count,
        live_sessions.occurred_at,
        live_sessions.ingested_at
    from live_sessions
    where live_sessions.content_id is null
),

final as (
    select
        creator_id,
        cast(sum(post_count) as bigint) as post_count,
        cast(sum(violation_count) as bigint) as violation_count,
        cast(occurred_at as date) as activity_date,
        min(ingested_at) as known_at
    from activities
    group by creator_id, cast(occurred_at as date)
)

select * from final
