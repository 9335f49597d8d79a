with policy_versions as (
    {{ known_rows(ref('stg_raw__policy_versions')) }}
),

changes as (
    select policy_versions.occurred_at as started_at
    from policy_versions
    group by policy_versions.occurred_at
),

final as (
    select
        'since ' || cast(changes.started_at as varchar) as policy_regime,
        changes.started_at,
        lead(changes.started_at) over (order by changes.started_at) as ended_at
    from changes
)

select * from final
