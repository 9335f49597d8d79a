{#- The rows that were known at the build's clock, each fact once: the newest version counts, and
    ingested_at is the moment at which the fact first became known. Every first read of a staging
    model goes through it. The key is the staging model's meta.key. -#}
{% macro known_rows(relation) -%}
    {{ _one_version(relation, 'desc') }}
{%- endmacro %}


{#- The same facts, each as it was first delivered. What reads no more than this never changes,
    whatever is delivered later: features do. -#}
{% macro first_known_rows(relation) -%}
    {{ _one_version(relation, 'asc') }}
{%- endmacro %}


{#- Every version that was known at the build's clock, where it matters which said what first. -#}
{% macro known_versions(relation) -%}
    select * from {{ relation }}
    where ingested_at <= (select as_of_at from {{ ref('int_build__clock') }})
{%- endmacro %}


{#- Unit tests have no graph to look keys up in, and give each fact once. -#}
{% macro _one_version(relation, order) -%}
    {%- set has_keys = execute and graph.nodes is defined -%}
    {%- if has_keys -%}
        {%- set node_id = 'model.' ~ project_name ~ '.' ~ relation.identifier -%}
        {%- set key = graph.nodes[node_id].config.meta.key | join(', ') -%}
    {%- endif -%}
    {%- if has_keys and order == 'desc' -%}
        select * replace (
            min(ingested_at) over (partition by {{ key }}) as ingested_at
        )
    {%- else -%}
        select *
    {%- endif %}
    from {{ relation }}
    where ingested_at <= (select as_of_at from {{ ref('int_build__clock') }})
    {%- if has_keys %}
    qualify row_number() over (partition by {{ key }} order by ingested_at {{ order }}) = 1
    {%- endif %}
{%- endmacro %}
