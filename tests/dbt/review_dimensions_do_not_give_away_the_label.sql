-- A dimension that only positive labels have makes every slice of a rate 100 percent.
-- What rates of reviews can be grouped by is set on negative labels too, in each frame
-- that has it at all. policy_id is set on positive labels only: no rate takes it.
{% set dimensions = [
    'design_id', 'stratum', 'language', 'policy_regime', 'tier_at_event', 'is_aigc', 'replicate_group',
    'is_mature', 'item_date', 'content_id', 'creator_id', 'account_id',
] %}
with quality_reviews as (
    select * from {{ ref('fct_quality_reviews') }}
),

shares as (
    {% for dimension in dimensions %}
        select
            '{{ dimension }}' as dimension,
            quality_reviews.frame,
            count(quality_reviews.{{ dimension }}) as set_count,
            count(quality_reviews.{{ dimension }}) filter (
                where not quality_reviews.is_positive
            ) as negative_set_count,
            count(*) filter (where not quality_reviews.is_positive) as negative_count
        from quality_reviews
        group by quality_reviews.frame
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

final as (
    select * from shares
    where set_count > 0 and negative_count > 0 and negative_set_count = 0
)

select * from final
