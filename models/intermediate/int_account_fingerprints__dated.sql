{{ config(
    materialized='incremental',
    incremental_strategy='delete+insert',
    unique_key='account_id',
    on_schema_change='append_new_columns',
) }}

with account_events as (
    {{ first_known_rows(ref('stg_raw__account_events')) }}
),

-- The stretches of an account are made of its own events: those of which nothing became
-- known since the last build are as they were.
heard_of as (
    select distinct account_events.account_id
    from account_events
    where account_events.ingested_at > {{ previous_as_of() }}
),

-- One row per day of sighting and of knowing it: a fingerprint counts from the midnight
-- at which it is known until 28 days after it was seen.
sightings as (
    {% for kind in ['device', 'network', 'payment'] %}
        select
            account_events.account_id,
            '{{ kind }}' as fingerprint_kind,
            account_events.{{ kind }}_hash as fingerprint_hash,
            {{ midnight_from('account_events.ingested_at') }} as live_from_at,
            max({{ midnight_from('account_events.occurred_at') }}) + interval 27 day
                as live_until_at
        from account_events
        inner join heard_of on account_events.account_id = heard_of.account_id
        where account_events.{{ kind }}_hash is not null
        group by account_events.account_id, fingerprint_hash, live_from_at
        {{ 'union all' if not loop.last }}
    {% endfor %}
),

-- Sightings whose stretches touch are one stretch.
marked as (
    select
        sightings.account_id,
        sightings.fingerprint_kind,
        sightings.fingerprint_hash,
        sightings.live_from_at,
        sightings.live_until_at,
        coalesce(sightings.live_from_at > max(sightings.live_until_at) over (
            partition by
                sightings.account_id,
                sightings.fingerprint_kind,
                sightings.fingerprint_hash
            order by sightings.live_from_at
            rows between unbounded preceding and 1 preceding
        ) + interval 1 day, true) as is_start
    from sightings
    where sightings.live_from_at <= sightings.live_until_at
),

numbered as (
    select
        marked.account_id,
        marked.fingerprint_kind,
        marked.fingerprint_hash,
        marked.live_from_at,
        marked.live_until_at,
        sum(cast(marked.is_start as integer)) over (
            partition by
                marked.account_id, marked.fingerprint_kind, marked.fingerprint_hash
            order by marked.live_from_at
            rows between unbounded preceding and current row
        ) as stretch_number
    from marked
),

final as (
    select
        numbered.account_id,
        numbered.fingerprint_kind,
        numbered.fingerprint_hash,
        min(numbered.live_from_at) as live_from_at,
        max(numbered.live_until_at) as live_until_at
    from numbered
    group by
        numbered.account_id,
        numbered.fingerprint_kind,
        numbered.fingerprint_hash,
        numbered.stretch_number
)

select * from final
