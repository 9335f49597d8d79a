-- Whose alarm is worth following: how often is a user report confirmed, by its reason?
--
-- Share with Wilson's 95 % score interval (1927), of mature reports about content. A
-- report is confirmed when the item got an upheld violation, of whatever policy.
-- Reading: intervals that overlap widely are not a ranking. A low share can also mean
-- that reports of this reason are not looked at. Reports of one item are not
-- independent, so the true interval is somewhat wider.
with reports as (
    select * from {{ ref('fct_user_reports') }}
),

counted as (
    select
        reason,
        count(*) as report_count,
        count_if(is_confirmed) as confirmed_count,
        count_if(is_confirmed) / count(*) as confirmed_rate,
        1.959964 as z
    from reports
    where target_type = 'content' and is_mature
    group by reason
),

bounds as (
    select
        reason,
        report_count,
        confirmed_count,
        confirmed_rate,
        (confirmed_rate + z * z / (2 * report_count))
        / (1 + z * z / report_count) as centre,
        z * sqrt(
            confirmed_rate * (1 - confirmed_rate) / report_count
            + z * z / (4 * report_count * report_count)
        ) / (1 + z * z / report_count) as half_width
    from counted
),

final as (
    select
        reason,
        report_count,
        confirmed_count,
        confirmed_rate,
        greatest(centre - half_width, 0) as low_rate,
        least(centre + half_width, 1) as high_rate
    from bounds
)

select * from final
order by confirmed_rate desc, reason asc
