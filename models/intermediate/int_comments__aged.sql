with comments as (
    {{ first_known_rows(ref('stg_raw__comments')) }}
),

content as (
    {{ first_known_rows(ref('stg_raw__content')) }}
),

texts as (
    select
        comments.content_id,
        comments.text_hash,
        {{ first_age('content.occurred_at', 'comments.ingested_at') }} as age_days,
        count(*) as text_count
    from comments
    inner join content on comments.content_id = content.content_id
    where comments.ingested_at <= content.occurred_at + interval 28 day
    group by comments.content_id, comments.text_hash, age_days
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
)

select * from final
