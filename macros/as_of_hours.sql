{#- The first full hour (UTC) at or after a moment; a full hour is its own. -#}
{% macro hour_from(moment) -%}
    cast(date_trunc('hour', {{ moment }} - interval 1 microsecond) as timestamp)
    + interval 1 hour
{%- endmacro %}


{#- Counts what became known in an hour only if it happened in the 24 hours before the
    hour's end: an old delivery that comes late is no burst. -#}
{% macro is_fresh(occurred_at, known_at) -%}
    {{ occurred_at }} > {{ hour_from(known_at) }} - interval 1 day
{%- endmacro %}
