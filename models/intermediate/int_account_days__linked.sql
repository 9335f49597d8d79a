with active_days as (
    select * from {{ ref('int_account_days__active') }}
),

fingerprints as (
    select * from {{ ref('int_account_fingerprints__dated') }}
),

shared as (
    select * from {{ ref('int_fingerprints__shared') }}
),

-- One row per account and midnight on a shared fingerprint: counting these pairs no
-- account with another, however many a network has.
shared_days as (
    select
        fingerprints.fingerprint_kind,
        fingerprints.fingerprint_hash,
        unnest(generate_series(
            fingerprints.live_from_at, fingerprints.live_until_at, interval 1 day
        )) as as_of_at
    from fingerprints
    inner join shared
        on
            fingerprints.fingerprint_kind = shared.fingerprint_kind
            and fingerprints.fingerprint_hash = shared.fingerprint_hash
),

crowds as (
    select
        shared_days.fingerprint_kind,
        shared_days.fingerprint_hash,
        shared_days.as_of_at,
        count(*) as account_count
    from shared_days
    group by
        shared_days.fingerprint_kind,
        shared_days.fingerprint_hash,
        shared_days.as_of_at
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
