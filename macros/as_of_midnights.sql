{#- The first midnight (UTC) at or after a moment; a midnight is its own. -#}
{% macro midnight_from(moment) -%}
    cast(date_trunc('day', {{ moment }} - interval 1 microsecond) as timestamp)
    + interval 1 day
{%- endmacro %}


{#- The first midnight (UTC) after a moment. -#}
{% macro midnight_after(moment) -%}
    cast(date_trunc('day', {{ moment }}) as timestamp) + interval 1 day
{%- endmacro %}


{#- One row per midnight as_of_at at which an event was known and lay in the last `days`
    days, (as_of_at - days, as_of_at]. An event known only later than that gives no row, and
    none is made that the last build has made. -#}
{% macro as_of_midnights(occurred_at, known_at, days) -%}
    unnest(generate_series(
        greatest(
            {{ midnight_from(known_at) }},
            {{ midnight_after(previous_as_of()) }}
        ),
        {{ midnight_from(occurred_at) }} + interval {{ days - 1 }} day,
        interval 1 day
    ))
{%- endmacro %}
