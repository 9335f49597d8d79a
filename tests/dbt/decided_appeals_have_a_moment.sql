-- Without decided_at an outcome cannot be placed before or after any moment, so it
-- counts as pending: the source must be mended.
select *
from {{ ref('stg_raw__appeals') }}
where outcome != 'pending' and decided_at is null
