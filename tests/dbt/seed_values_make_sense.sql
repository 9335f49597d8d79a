-- Delays are positive, floors are scores, and no campaign ends before it begins.
select policy_id as entry
from {{ ref('policies') }}
where label_maturity_days <= 0 or appeal_window_days <= 0
union all
select sub_score as entry
from {{ ref('index_weights') }}
where floor_score not between 1 and 100
union all
select campaign_id as entry
from {{ ref('campaign_calendar') }}
where end_date < start_date
union all
select intervention_id as entry
from {{ ref('intervention_log') }}
where end_date < start_date
