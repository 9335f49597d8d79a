{#- The rows that were known at the build's clock. Every first read of a staging model goes through it. -#}
{% macro known_rows(relation) -%}
    select * from {{ relation }}
    where ingested_at <= (select as_of_at from {{ ref('int_build__clock') }})
{%- endmacro %}
