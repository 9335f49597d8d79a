-- Did the creator violation rate move because creators changed, or because the mix did?
--
-- Simpson's check by Kitagawa's decomposition (1955), between the last mature day and
-- the day 28 days before it. For each tier: rate_effect is its change of rate at the
-- mean of its two shares, mix_effect its change of share at the mean of its two rates.
-- Over all tiers the two add up to the whole change.
-- Reading: a whole change made of mix_effect is not a change of behaviour. Tier is as
-- it is now, so a creator who moved between tiers counts in the new one on both days.
with creator_days as (
    select * from {{ ref('fct_creator_days') }}
),

creators as (
    select * from {{ ref('dim_creators') }}
),

sight as (
    select max(status_date) as after_date
    from creator_days
    where is_mature and is_whole_window and is_authentic
),

counted as (
    select
        creators.tier,
        count_if(creator_days.status_date < sight.after_date) as before_count,
        count_if(creator_days.status_date = sight.after_date) as after_count,
        count_if(
            creator_days.is_violating and creator_days.status_date < sight.after_date
        ) as before_violating_count,
        count_if(
            creator_days.is_violating and creator_days.status_date = sight.after_date
        ) as after_violating_count
    from creator_days
    inner join creators on creator_days.creator_id = creators.creator_id
    cross join sight
    where
        creator_days.is_mature
        and creator_days.is_whole_window
        and creator_days.is_authentic
        and creator_days.status_date in (sight.after_date, sight.after_date - 28)
    group by creators.tier
),

shares as (
    select
        tier,
        before_count / nullif(sum(before_count) over (), 0) as before_share,
        after_count / nullif(sum(after_count) over (), 0) as after_share,
        before_violating_count / nullif(before_count, 0) as before_rate,
        after_violating_count / nullif(after_count, 0) as after_rate
    from counted
),

effects as (
    select
        tier,
        before_share,
        after_share,
        before_rate,
        after_rate,
        -- A tier that is empty on one of the days has no rate there: it is all mix.
        coalesce(after_rate - before_rate, 0)
        * (before_share + after_share) / 2 as rate_effect,
        (after_share - before_share)
        * (coalesce(before_rate, after_rate) + coalesce(after_rate, before_rate))
        / 2 as mix_effect
    from shares
),

final as (
    select
        tier,
        before_share,
        after_share,
        before_rate,
        after_rate,
        rate_effect,
        mix_effect
    from effects
    union all
    select
        'all tiers' as tier,
        sum(before_share) as before_share,
        sum(after_share) as after_share,
        sum(before_share * before_rate) as before_rate,
        sum(after_share * after_rate) as after_rate,
        sum(rate_effect) as rate_effect,
        sum(mix_effect) as mix_effect
    from effects
)

select * from final
order by tier
