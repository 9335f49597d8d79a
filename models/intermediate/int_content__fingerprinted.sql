with content as (
    {{ first_known_rows(ref('stg_raw__content')) }}
),

fingerprints as (
    {% for kind in ['caption', 'audio', 'link'] %}
        select
            content.content_id,
            content.creator_id,
            '{{ kind }}' as fingerprint_kind,
            content.{{ kind }}_hash as fingerprint_hash,
            content.ingested_at <= content.occurred_at + interval 1 day as is_prompt,
            content.occurred_at,
            content.ingested_at as known_at
        from content
        where content.{{ kind }}_hash is not null
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- An earlier item that was known within a day is known at any age of a later one, so
-- one window is enough, and the count is the same whenever it is made.
final as (
    select
        fingerprints.content_id,
        fingerprints.creator_id,
        fingerprints.fingerprint_kind,
        fingerprints.fingerprint_hash,
        count(case when fingerprints.is_prompt then 1 end) over (
            partition by fingerprints.fingerprint_kind, fingerprints.fingerprint_hash
            order by fingerprints.occurred_at
            range between
            interval 28 day preceding and interval 1 microsecond preceding
        ) as earlier_item_count_28d,
        fingerprints.occurred_at,
        fingerprints.known_at
    from fingerprints
)

select * from final
