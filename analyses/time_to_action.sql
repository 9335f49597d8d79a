-- How soon after upload is content acted on, with content counted that never was?
--
-- Survival by Kaplan and Meier (1958): an item without an action is watched until the
-- start of the last day of the data and then leaves the count, as censored. The
-- standard error is Greenwood's (1926).
-- Reading: actioned_share at 24 hours is the share of all uploads acted on within a
-- day. It does not fall when young items join, as a plain share does. watched_count is
-- how many items were still watched without an action; a horizon nobody has reached is
-- null.
with content as (
    select * from {{ ref('fct_content') }}
),

actions as (
    select * from {{ ref('fct_content_actions') }}
),

creator_days as (
    select * from {{ ref('fct_creator_days') }}
),

sight as (
    select cast(max(status_date) as timestamp) as observed_until_at
    from creator_days
),

watched as (
    select
        actions.hours_to_action,
        date_diff('second', content.uploaded_at, sight.observed_until_at)
        / 3600 as hours_watched
    from content
    inner join actions on content.content_id = actions.content_id
    cross join sight
    where content.uploaded_at < sight.observed_until_at
),

-- What happened after the end of sight was not seen.
spells as (
    select
        coalesce(hours_to_action <= hours_watched, false) as is_actioned,
        least(coalesce(hours_to_action, hours_watched), hours_watched) as hours
    from watched
),

moments as (
    select
        hours,
        count(*) as ended_count,
        count_if(is_actioned) as actioned_count
    from spells
    group by hours
),

at_risk as (
    select
        hours,
        ended_count,
        actioned_count,
        sum(ended_count) over (order by hours desc) as at_risk_count
    from moments
),

curve as (
    select
        hours,
        at_risk_count - ended_count as watched_count,
        product(1 - actioned_count / at_risk_count) over (order by hours) as survival,
        sum(
            actioned_count
            / nullif(at_risk_count * (at_risk_count - actioned_count), 0)
        ) over (order by hours) as greenwood_sum
    from at_risk
),

horizons as (
    select unnest([1, 6, 24, 72, 168, 336, 672]) as horizon_hours
),

latest as (
    select max(hours) as hours
    from spells
),

all_items as (
    select count(*) as item_count
    from spells
),

final as (
    select
        horizons.horizon_hours,
        coalesce(curve.watched_count, all_items.item_count) as watched_count,
        case
            when horizons.horizon_hours <= latest.hours
                then 1 - coalesce(curve.survival, 1)
        end as actioned_share,
        case
            when horizons.horizon_hours <= latest.hours
                then coalesce(curve.survival * sqrt(curve.greenwood_sum), 0)
        end as standard_error
    from horizons
    cross join latest
    cross join all_items
    asof left join curve on horizons.horizon_hours >= curve.hours
)

select * from final
order by horizon_hours
