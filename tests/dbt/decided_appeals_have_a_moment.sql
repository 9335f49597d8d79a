-- Without decided_at an outcome cannot be placed before or after any moment, so it
-- counts as pending: the source must be mended.
with appeals as (
    {{ known_rows(ref('stg_raw__appeals')) }}
),

final as (
    select appeal_id
    from appeals
    where outcome != 'pending' and decided_at is null
)

select * from final
