{#- The first of the ages 1, 7 and 28 days by whose end a row was known. Later rows are not asked about. -#}
{% macro first_age(started_at, known_at) -%}
    case
        when {{ known_at }} <= {{ started_at }} + interval 1 day then 1
        when {{ known_at }} <= {{ started_at }} + interval 7 day then 7
        else 28
    end
{%- endmacro %}


{#- Whether an item came of an age since the last build, or became known: what is said of its ages is made again. -#}
{% macro comes_of_age(occurred_at, known_at) -%}
    (
        {{ known_at }} > {{ previous_as_of() }}
        {%- for age in [1, 7, 28] %}
        or {{ occurred_at }} between {{ previous_as_of() }} - interval {{ age }} day
        and (select as_of_at from {{ ref('int_build__clock') }}) - interval {{ age }} day
        {%- endfor %}
    )
{%- endmacro %}
