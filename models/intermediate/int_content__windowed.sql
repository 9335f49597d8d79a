{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='as_of_at',
    on_schema_change='append_new_columns',
) }}

with content as (
    {{ first_known_rows(ref('stg_raw__content')) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

-- From the first midnight on at which 28 days of content can have been known. Counted
-- from ingested_at: an old upload that arrives late must not move it.
bounds as (
    select
        {{ midnight_from('min(content.ingested_at)') }} + interval 27 day
            as first_as_of_at
    from content
),

posts as (
    select
        content.content_id,
        content.creator_id,
        content.caption_hash,
        content.audio_hash,
        content.link_hash is not null as has_link,
        content.product_id is not null as has_product,
        content.is_aigc_declared,
        extract(hour from content.occurred_at) as post_hour,
        {{ midnight_from('content.occurred_at') }} as posted_by_at,
        {{ as_of_midnights('content.occurred_at', 'content.ingested_at', 28) }}
            as as_of_at
    from content
    where content.occurred_at > {{ previous_as_of() }} - interval 28 day
),

-- A fingerprint is shared if another post of the 28 days, of any creator, has it too.
final as (
    select
        posts.content_id,
        posts.creator_id,
        posts.post_hour,
        date_diff('day', posts.posted_by_at, posts.as_of_at) as age_days,
        case
            when posts.caption_hash is not null then
                count(*) over (partition by posts.as_of_at, posts.caption_hash) > 1
        end as has_shared_caption,
        case
            when posts.audio_hash is not null then
                count(*) over (partition by posts.as_of_at, posts.audio_hash) > 1
        end as has_shared_audio,
        posts.has_link,
        posts.has_product,
        posts.is_aigc_declared,
        posts.as_of_at
    from posts
    cross join bounds
    cross join clock
    where posts.as_of_at between bounds.first_as_of_at and clock.as_of_at
)

select * from final
