{#- The rows that were known at the build's clock, each fact once: the newest version counts, and
    ingested_at is the moment at which the fact first became known. Every first read of a staging
    model goes through it. The key is the staging model's meta.key. `among` is a condition that all
    versions of a fact meet, or none: one on its key, or on occurred_at. -#}
{% macro known_rows(relation, among='true') -%}
    {{ _one_version(relation, 'desc', among) }}
{%- endmacro %}


{#- Of the same facts those of which a condition holds that one version can meet and another not, as one on what a fact
    belongs to. Versions of other facts are not compared. -#}
{% macro known_rows_of(relation, condition) -%}
    {%- if condition == 'true' or not execute or graph is not defined or graph.nodes is not defined -%}
        {{ _one_version(relation, 'desc', condition) }}
    {%- else -%}
        {%- set key = _key_of(relation) -%}
        select * from (
            {{ _one_version(
                relation, 'desc', '(' ~ key ~ ') in (select (' ~ key ~ ') from ' ~ relation ~ ' where ' ~ condition ~ ')'
            ) }}
        )
        where {{ condition }}
    {%- endif -%}
{%- endmacro %}


{#- The same facts, each as it was first delivered. What reads no more than this never changes,
    whatever is delivered later: features do. -#}
{% macro first_known_rows(relation, among='true') -%}
    {{ _one_version(relation, 'asc', among) }}
{%- endmacro %}


{#- Every version that was known at the build's clock, where it matters which said what first. -#}
{% macro known_versions(relation) -%}
    select * from {{ relation }}
    where ingested_at <= (select as_of_at from {{ ref('int_build__clock') }})
{%- endmacro %}


{#- Unit tests have no graph to look keys up in, and give each fact once. -#}
{% macro _one_version(relation, order, among) -%}
    {%- set has_keys = execute and graph.nodes is defined and _has_versions(relation) -%}
    {%- if has_keys -%}
        {%- set key = _key_of(relation) -%}
    {%- endif -%}
    {%- if has_keys and order == 'desc' -%}
        select * replace (
            min(ingested_at) over (partition by {{ key }}) as ingested_at
        )
    {%- else -%}
        select *
    {%- endif %}
    from {{ relation }}
    where
        ingested_at <= (select as_of_at from {{ ref('int_build__clock') }})
        {{ 'and ' ~ among if among != 'true' }}
    {%- if has_keys %}
    qualify row_number() over (partition by {{ key }} order by ingested_at {{ order }}) = 1
    {%- endif %}
{%- endmacro %}


{% macro _key_of(relation) -%}
    {%- do return(graph.nodes['model.' ~ project_name ~ '.' ~ relation.identifier].config.meta.key | join(', ')) -%}
{%- endmacro %}


{#- Whether any fact of a table was delivered twice; asked once in a run, and kept beside the graph. To compare the
    versions of every fact is most of what many models take, and few tables have any. -#}
{% macro _has_versions(relation) -%}
    {%- if flags.WHICH not in ['build', 'run', 'test'] -%}{%- do return(true) -%}{%- endif -%}
    {%- if graph.gnomon_has_versions is not defined -%}{%- do graph.update({'gnomon_has_versions': {}}) -%}{%- endif -%}
    {%- if relation.identifier not in graph.gnomon_has_versions -%}
        {%- set counted = run_query(
            'select count(*) > count(distinct hash(' ~ _key_of(relation) ~ ')) from ' ~ relation
        ) -%}
        {%- do graph.gnomon_has_versions.update({relation.identifier: counted.columns[0].values()[0]}) -%}
    {%- endif -%}
    {%- do return(graph.gnomon_has_versions[relation.identifier]) -%}
{%- endmacro %}
