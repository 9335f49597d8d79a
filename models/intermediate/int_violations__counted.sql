with violations as (
    select * from {{ ref('int_violations__judged') }}
),

final as (
    select
        violations.content_id,
        count(*) as upheld_violation_count
    from violations
    where violations.is_upheld and violations.content_id is not null
    group by violations.content_id
)

select * from final
