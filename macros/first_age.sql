{#- The first of the ages 1, 7 and 28 days by whose end a row was known. Later rows are not asked about. -#}
{% macro first_age(started_at, known_at) -%}
    case
        when {{ known_at }} <= {{ started_at }} + interval 1 day then 1
        when {{ known_at }} <= {{ started_at }} + interval 7 day then 7
        else 28
    end
{%- endmacro %}
