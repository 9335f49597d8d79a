-- How do the appeals of a month's actions ripen as the actions grow older?
--
-- Cohorts by age, as actuaries draw claims: what had been appealed, decided and
-- overturned k weeks after each action. A cell stands only when every action of the
-- month has reached that age, so that a row can be read from left to right.
-- Reading: compare months at the same age. A young month's overturn rate rests on the
-- appeals that were quick to decide. An overturn in part is an overturn.
with actions as (
    select * from {{ ref('fct_actions') }}
),

appeals as (
    select * from {{ ref('fct_appeals') }}
),

creator_days as (
    select * from {{ ref('fct_creator_days') }}
),

sight as (
    select max(status_date) as last_date
    from creator_days
),

first_appeals as (
    select
        enforcement_id,
        min(appeal_date) as appeal_date,
        min(decision_date) filter (where is_decided) as decision_date,
        min(decision_date) filter (where is_overturned) as overturn_date
    from appeals
    group by enforcement_id
),

ages as (
    select cast(numbers.generated as integer) as age_weeks
    from range(1, 13) as numbers (generated)
),

aged as (
    select
        ages.age_weeks,
        cast(date_trunc('month', actions.action_date) as date) as cohort_date,
        actions.action_date + 7 * ages.age_weeks <= sight.last_date as is_reached,
        coalesce(
            first_appeals.appeal_date <= actions.action_date + 7 * ages.age_weeks, false
        ) as is_appealed,
        coalesce(
            first_appeals.decision_date <= actions.action_date + 7 * ages.age_weeks,
            false
        ) as is_decided,
        coalesce(
            first_appeals.overturn_date <= actions.action_date + 7 * ages.age_weeks,
            false
        ) as is_overturned
    from actions
    cross join ages
    cross join sight
    left join first_appeals on actions.enforcement_id = first_appeals.enforcement_id
),

final as (
    select
        age_weeks,
        count(*) as action_count,
        count_if(is_appealed) as appealed_count,
        count_if(is_decided) as decided_count,
        count_if(is_overturned) as overturned_count,
        count_if(is_appealed) / count(*) as appeal_rate,
        count_if(is_overturned) / nullif(count_if(is_decided), 0) as overturn_rate,
        cohort_date
    from aged
    group by cohort_date, age_weeks
    having bool_and(is_reached)
)

select * from final
order by cohort_date, age_weeks
