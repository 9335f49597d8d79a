with posts as (
    select * from {{ ref('int_content__windowed') }}
    where as_of_at > {{ previous_as_of() }}
),

hours as (
    select
        posts.creator_id,
        posts.as_of_at,
        posts.post_hour,
        count(*) as post_count
    from posts
    group by posts.creator_id, posts.as_of_at, posts.post_hour
),

-- Rounded: the order in which threads add up must not show. Nor a hair below 0.
entropies as (
    select
        hours.creator_id,
        hours.as_of_at,
        greatest(0, round(
            ln(sum(hours.post_count))
            - sum(hours.post_count * ln(hours.post_count)) / sum(hours.post_count),
            6
        )) as post_hour_entropy_28d
    from hours
    group by hours.creator_id, hours.as_of_at
),

counts as (
    select
        posts.creator_id,
        posts.as_of_at,
        count(*) filter (where posts.age_days < 1) as post_count_1d,
        count(*) filter (where posts.age_days < 7) as post_count_7d,
        count(*) as post_count_28d,
        avg(cast(posts.has_shared_caption as integer)) as duplicate_caption_rate_28d,
        avg(cast(posts.has_shared_audio as integer)) as duplicate_audio_rate_28d,
        avg(cast(posts.has_link as integer)) as link_rate_28d,
        avg(cast(posts.has_product as integer)) as product_link_rate_28d,
        avg(cast(posts.is_aigc_declared as integer)) as aigc_declared_rate_28d
    from posts
    group by posts.creator_id, posts.as_of_at
),

final as (
    select
        counts.creator_id,
        counts.post_count_1d,
        counts.post_count_7d,
        counts.post_count_28d,
        entropies.post_hour_entropy_28d,
        counts.duplicate_caption_rate_28d,
        counts.duplicate_audio_rate_28d,
        counts.link_rate_28d,
        counts.product_link_rate_28d,
        counts.aigc_declared_rate_28d,
        counts.as_of_at
    from counts
    inner join entropies
        on
            counts.creator_id = entropies.creator_id
            and counts.as_of_at = entropies.as_of_at
)

select * from final
