-- Are newcomers treated otherwise than established creators?
--
-- Rates of both groups and their ratio, with a 95 % interval on the log scale (Katz and
-- others, 1978): acted-on posts among mature posts, and overturned among decided
-- appeals of mature actions. A ratio on under 10 events in either group is null.
-- Reading: a ratio over 1 is more for newcomers. A higher rate of action with the same
-- rate of overturns is no unfairness by itself; both high is worth a look. Posts of one
-- creator are alike, so the true interval is wider. Groups are as they are now.
with creators as (
    select * from {{ ref('dim_creators') }}
),

content_actions as (
    select * from {{ ref('fct_content_actions') }}
),

actions as (
    select * from {{ ref('fct_actions') }}
),

trials as (
    select
        'acted on, of posts' as measure,
        creator_id,
        is_actioned as is_event
    from content_actions
    where is_mature
    union all
    select
        'overturned, of decided appeals' as measure,
        creator_id,
        is_overturned as is_event
    from actions
    where is_mature and is_appeal_decided
),

counted as (
    select
        trials.measure,
        count_if(not creators.is_established) as newcomer_count,
        count_if(creators.is_established) as established_count,
        count_if(not creators.is_established and trials.is_event) as newcomer_events,
        count_if(creators.is_established and trials.is_event) as established_events
    from trials
    inner join creators on trials.creator_id = creators.creator_id
    group by trials.measure
),

compared as (
    select
        measure,
        newcomer_count,
        established_count,
        newcomer_events,
        established_events,
        newcomer_events / nullif(newcomer_count, 0) as newcomer_rate,
        established_events / nullif(established_count, 0) as established_rate
    from counted
),

spreads as (
    select
        measure,
        newcomer_count,
        established_count,
        newcomer_rate,
        established_rate,
        case
            when least(newcomer_events, established_events) >= 10
                then newcomer_rate / established_rate
        end as ratio,
        case
            when least(newcomer_events, established_events) >= 10
                then
                    1.959964 * sqrt(
                        (1 - newcomer_rate) / newcomer_events
                        + (1 - established_rate) / established_events
                    )
        end as log_half_width
    from compared
),

final as (
    select
        measure,
        newcomer_count,
        established_count,
        newcomer_rate,
        established_rate,
        ratio,
        ratio * exp(-log_half_width) as low_ratio,
        ratio * exp(log_half_width) as high_ratio
    from spreads
)

select * from final
order by measure
