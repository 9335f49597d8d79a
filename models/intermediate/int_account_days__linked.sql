{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='as_of_at',
    on_schema_change='append_new_columns',
) }}

with active_days as (
    select * from {{ ref('int_account_days__active') }}
    where as_of_at > {{ previous_as_of() }}
),

fingerprints as (
    select * from {{ ref('int_account_fingerprints__dated') }}
    where live_until_at > {{ previous_as_of() }}
),

shared as (
    select * from {{ ref('int_fingerprints__shared') }}
),

-- One more account from the first day of a stretch on, one fewer from the day after its
-- last: added up, these count the accounts of a fingerprint without pairing or even
-- listing them, however many a network has.
changes as (
    select
        fingerprints.fingerprint_kind,
        fingerprints.fingerprint_hash,
        unnest([fingerprints.live_from_at, fingerprints.live_until_at + interval 1 day])
            as changed_at,
        unnest([1, -1]) as gain
    from fingerprints
    inner join shared
        on
            fingerprints.fingerprint_kind = shared.fingerprint_kind
            and fingerprints.fingerprint_hash = shared.fingerprint_hash
),

change_days as (
    select
        changes.fingerprint_kind,
        changes.fingerprint_hash,
        changes.changed_at,
        sum(changes.gain) as gain
    from changes
    group by changes.fingerprint_kind, changes.fingerprint_hash, changes.changed_at
),

sizes as (
    select
        change_days.fingerprint_kind,
        change_days.fingerprint_hash,
        sum(change_days.gain) over stretches as account_count,
        change_days.changed_at as size_from_at,
        lead(change_days.changed_at) over stretches as size_until_at
    from change_days
    window stretches as (
        partition by change_days.fingerprint_kind, change_days.fingerprint_hash
        order by change_days.changed_at
    )
),

crowds as (
    select
        sizes.fingerprint_kind,
        sizes.fingerprint_hash,
        cast(sizes.account_count as bigint) as account_count,
        unnest(generate_series(
            greatest(sizes.size_from_at, {{ midnight_after(previous_as_of()) }}),
            sizes.size_until_at - interval 1 day,
            interval 1 day
        )) as as_of_at
    from sizes
),

live as (
    select
        active_days.account_id,
        fingerprints.fingerprint_kind,
        fingerprints.fingerprint_hash,
        active_days.as_of_at
    from active_days
    inner join fingerprints
        on
            active_days.account_id = fingerprints.account_id
            and active_days.as_of_at >= fingerprints.live_from_at
            and active_days.as_of_at <= fingerprints.live_until_at
),

-- A fingerprint that is not shared has one account: this one.
links as (
    select
        live.account_id,
        live.fingerprint_kind,
        coalesce(crowds.account_count, 1) - 1 as other_account_count,
        live.as_of_at
    from live
    left join crowds
        on
            live.fingerprint_kind = crowds.fingerprint_kind
            and live.fingerprint_hash = crowds.fingerprint_hash
            and live.as_of_at = crowds.as_of_at
),

final as (
    select
        links.account_id,
        {% for kind in ['device', 'network', 'payment'] %}
            count(*) filter (where links.fingerprint_kind = '{{ kind }}')
                as {{ kind }}_count,
            max(links.other_account_count) filter (
                where links.fingerprint_kind = '{{ kind }}'
            ) as {{ kind }}_other_account_count,
        {% endfor %}
        links.as_of_at
    from links
    group by links.account_id, links.as_of_at
)

select * from final
