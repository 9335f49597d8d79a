{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='content_id',
    on_schema_change='append_new_columns',
) }}

with comments as (
    {{ first_known_rows(ref('stg_raw__comments')) }}
),

content as (
    {{ first_known_rows(ref('stg_raw__content')) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

items as (
    select
        content.content_id,
        content.occurred_at
    from content
    where {{ comes_of_age('content.occurred_at', 'content.ingested_at') }}
),

texts as (
    select
        comments.content_id,
        comments.text_hash,
        items.occurred_at as uploaded_at,
        {{ first_age('items.occurred_at', 'comments.ingested_at') }} as age_days,
        count(*) as text_count
    from comments
    inner join items on comments.content_id = items.content_id
    where comments.ingested_at <= items.occurred_at + interval 28 day
    group by
        comments.content_id, comments.text_hash, items.occurred_at, age_days
),

final as (
    select
        texts.content_id,
        texts.text_hash,
        texts.age_days,
        texts.text_count,
        row_number() over (
            partition by texts.content_id, texts.text_hash
            order by texts.age_days
        ) = 1 as is_new
    from texts
    inner join clock on texts.uploaded_at + to_days(texts.age_days) <= clock.as_of_at
)

select * from final
