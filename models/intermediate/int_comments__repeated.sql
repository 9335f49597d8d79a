{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='as_of_at',
    on_schema_change='append_new_columns',
) }}

with comments as (
    {{ first_known_rows(
        ref('stg_raw__comments'), 'occurred_at > ' ~ previous_as_of() ~ ' - interval 30 day'
    ) }}
),

clock as (
    select * from {{ ref('int_build__clock') }}
),

texts as (
    select
        comments.account_id,
        comments.text_hash,
        {{ midnight_from('comments.occurred_at') }} as as_of_at,
        count(*) filter (
            where comments.ingested_at <= {{ midnight_from('comments.occurred_at') }}
        ) as text_count,
        min(comments.ingested_at) as known_at
    from comments
    where comments.occurred_at > {{ previous_as_of() }} - interval 29 day
    group by comments.account_id, comments.text_hash, as_of_at
),

dated as (
    select
        texts.account_id,
        texts.text_count,
        min(texts.known_at) over (
            partition by texts.account_id, texts.text_hash
            order by texts.as_of_at
            range between interval 28 day preceding and interval 1 day preceding
        ) as used_known_at,
        texts.as_of_at
    from texts
),

-- Of a text not used before, all comments of the day but one repeat it.
final as (
    select
        dated.account_id,
        sum(dated.text_count) as comment_count,
        sum(
            dated.text_count
            - case when dated.used_known_at <= dated.as_of_at then 0 else 1 end
        ) as repeat_count,
        dated.as_of_at
    from dated
    inner join clock on dated.as_of_at <= clock.as_of_at
    where dated.text_count > 0 and dated.as_of_at > {{ previous_as_of() }}
    group by dated.account_id, dated.as_of_at
)

select * from final
