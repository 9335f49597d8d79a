with fingerprints as (
    select * from {{ ref('int_account_fingerprints__dated') }}
),

final as (
    select
        fingerprints.fingerprint_kind,
        fingerprints.fingerprint_hash
    from fingerprints
    group by fingerprints.fingerprint_kind, fingerprints.fingerprint_hash
    having min(fingerprints.account_id) != max(fingerprints.account_id)
)

select * from final
