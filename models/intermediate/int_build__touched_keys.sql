-- What newly delivered rows change, and what time alone changes. Of a fact that is
-- delivered again all versions count: what an old one belonged to has to let it go.
{% set since = recorded_as_of() %}
{% set backfilled -%}
    {%- if var('backfill_from') %}
    or cast(occurred_at as date)
    between date '{{ var("backfill_from") }}' and date '{{ var("backfill_to") }}'
    {%- endif -%}
{%- endset %}
{% set keys = {
    'accounts': 'account_id',
    'account_events': 'account_event_id',
    'appeals': 'appeal_id',
    'complaints': 'complaint_id',
    'content': 'content_id',
    'content_counters': 'content_id',
    'enforcements': 'enforcement_id',
    'fulfilment_events': 'fulfilment_event_id',
    'live_sessions': 'live_session_id',
    'order_items': 'order_item_id',
    'orders': 'order_id',
    'product_events': 'product_event_id',
    'product_reviews': 'product_review_id',
    'refunds': 'refund_id',
    'user_reports': 'user_report_id',
    'violations': 'violation_id',
} %}
with clock as (
    select * from {{ ref('int_build__clock') }}
),

violations_dated as (
    select * from {{ ref('int_violations__dated') }}
),

engagement as not materialized (
    select * from {{ ref('stg_raw__engagement') }}
),

creator_status as not materialized (
    select * from {{ ref('stg_raw__creator_status') }}
),

{% for table, key in keys.items() %}
    {{ table }} as not materialized (
        select * from {{ ref('stg_raw__' ~ table) }}
    ),

    {{ table }}_delivered as (
        select * from {{ table }}
        where
            {{ table }}.{{ key }} in (
                select delivered.{{ key }} from {{ table }} as delivered
                where
                    delivered.ingested_at > {{ since }}
                    {{ backfilled }}
            )
    ),

{% endfor %}
violations_touched as (
    select violations_delivered.content_id
    from violations_delivered
    union
    select violations.content_id
    from violations
    where
        violations.violation_id in (
            select enforcements.violation_id
            from enforcements
            where
                enforcements.enforcement_id in (
                    select appeals_delivered.enforcement_id from appeals_delivered
                )
            union all
            select enforcements_delivered.violation_id from enforcements_delivered
            union all
            select violations_dated.violation_id
            from violations_dated
            where
                violations_dated.upheld_at > {{ since }}
                or violations_dated.reversed_at > {{ since }}
        )
),

-- A state says nothing of the days before its own; a new account may have had any.
states as (
    select
        account_id as creator_id,
        date '1970-01-01' as from_date
    from accounts_delivered
    union all
    select
        creator_id,
        cast(occurred_at as date) as from_date
    from creator_status
    where
        ingested_at > {{ since }}
        or occurred_at > {{ since }}
        {{ backfilled }}
),

first_states as (
    select
        states.creator_id,
        min(states.from_date) as from_date
    from states
    group by states.creator_id
),

creators as (
    select * from first_states
    union all
    {% for table in ['content', 'live_sessions'] %}
        select
            creator_id,
            cast(occurred_at as date) as from_date
        from {{ table }}_delivered
        union all
    {% endfor %}
    select
        content.creator_id,
        cast(content.occurred_at as date) as from_date
    from content
    where
        content.content_id in (
            select violations_touched.content_id from violations_touched
        )
),

items as (
    {% for table, column in [
        ('content', 'content_id'),
        ('enforcements', 'content_id'),
        ('user_reports', 'target_id'),
    ] %}
        select {{ table }}_delivered.{{ column }} as content_id
        from {{ table }}_delivered
        union all
    {% endfor %}
    select violations_touched.content_id
    from violations_touched
    union all
    select content.content_id
    from content
    cross join clock
    where
        content.occurred_at >= {{ since }} - to_days(clock.maturity_days)
        and content.occurred_at
        < clock.as_of_at - to_days(clock.maturity_days)
    union all
    select content.content_id
    from content
    inner join first_states
        on
            content.creator_id = first_states.creator_id
            and content.occurred_at >= first_states.from_date
),

acted as (
    select items.content_id
    from items
    union
    select engagement.content_id
    from engagement
    where
        ingested_at > {{ since }}
        {{ backfilled }}
),

orders_changed as (
    {% for table in ['orders', 'fulfilment_events', 'complaints', 'order_items'] %}
        select {{ table }}_delivered.order_id
        from {{ table }}_delivered
        union all
    {% endfor %}
    select orders.order_id
    from orders
    cross join clock
    where
        orders.paid_at > {{ since }}
        {% for days in [7, 30, 60] %}
            or (
                orders.occurred_at > {{ since }} - interval {{ days }} day
                and orders.occurred_at
                <= clock.as_of_at - interval {{ days }} day
            )
        {% endfor %}
    union all
    select fulfilment_events.order_id
    from fulfilment_events
    where fulfilment_events.promised_dispatch_at > {{ since }}
),

-- A promise that is not kept becomes late when it passes, known or not.
order_lines as (
    select
        order_items.order_item_id,
        order_items.order_id
    from order_items
    where
        order_items.order_id in (
            select orders_changed.order_id from orders_changed
        )
        or order_items.attributed_content_id in (
            select items.content_id from items
        )
        or order_items.order_item_id in (
            select refunds_delivered.order_item_id from refunds_delivered
            union all
            select product_reviews_delivered.order_item_id
            from product_reviews_delivered
        )
),

events as (
    select product_events_delivered.product_event_id
    from product_events_delivered
    union all
    select product_events.product_event_id
    from product_events
    where
        product_events.content_id in (
            select content_delivered.content_id from content_delivered
        )
),

touched as (
    {% for kind, relation in [
        ('account_id', 'accounts_delivered'),
        ('account_event_id', 'account_events_delivered'),
        ('content_id', 'items'),
        ('acted_content_id', 'acted'),
        ('counted_content_id', 'content_counters_delivered'),
        ('counted_content_id', 'content_delivered'),
        ('order_id', 'orders_changed'),
        ('order_id', 'order_lines'),
        ('order_item_id', 'order_lines'),
        ('order_item_id', 'order_items_delivered'),
        ('product_event_id', 'events'),
    ] %}
        select
            '{{ kind }}' as key_kind,
            {% set column = kind | replace('counted_', '') | replace('acted_', '') -%}
            {{ relation }}.{{ column }} as key_id,
            cast(null as date) as from_date
        from {{ relation }}
        union all
    {% endfor %}
    select
        'creator_id' as key_kind,
        creators.creator_id as key_id,
        creators.from_date
    from creators
),

final as (
    select
        touched.key_kind,
        touched.key_id,
        min(touched.from_date) as from_date
    from touched
    where touched.key_id is not null and {{ since }} is not null
    group by touched.key_kind, touched.key_id
)

select * from final
