{#- Write into the working file what this run built, with which definitions, and whether all of it passed. -#}
{% macro record_build(results) %}
    {% if execute and flags.WHICH in ('build', 'run') %}
        {% do run_query(_create_build_tables()) %}
        {% set kinds = ['model', 'seed', 'snapshot', 'test', 'unit_test'] %}
        {% set built = results | selectattr('node.resource_type', 'in', kinds) | list %}
        {% set failed = built | rejectattr('status', 'in', ['success', 'pass', 'warn']) | list %}
        {% set narrowed = ['select', 'exclude', 'selector', 'resource_types', 'exclude_resource_types'] %}
        {% set is_whole = flags.WHICH == 'build' and not invocation_args_dict.items()
            | selectattr(0, 'in', narrowed) | selectattr(1) | list %}
        {% set manifest_path = (flags.TARGET_PATH or 'target') ~ '/semantic_manifest.json' %}
        {% do run_query(
            'insert into gnomon_build.runs select '
            ~ dbt.string_literal(invocation_id) ~ ', '
            ~ dbt.string_literal(run_started_at.strftime('%Y-%m-%d %H:%M:%S')) ~ '::timestamp, '
            ~ 'record.raw_set_id, '
            ~ (dbt.string_literal(var('as_of')) if var('as_of') else 'record.newest_ingested_at') ~ '::timestamp, '
            ~ is_whole ~ ', ' ~ (failed | length == 0) ~ ', manifest.content '
            ~ 'from ' ~ _raw_record() ~ ' as record '
            ~ 'cross join read_text(' ~ dbt.string_literal(manifest_path) ~ ') as manifest'
        ) %}
        {% do run_query(
            'create or replace table gnomon_build.absent_tables as '
            ~ 'select unnest(absent, recursive := true) from ' ~ _raw_record()
        ) %}
        {% do _insert_rows('gnomon_build.nodes', _node_rows(built)) %}
        {% do run_query('delete from gnomon_build.edges') %}
        {% do _insert_rows('gnomon_build.edges', _edge_rows()) %}
    {% endif %}
{% endmacro %}


{#- raw_set.json with its types said, so that an empty list of absent tables has them too. -#}
{% macro _raw_record() -%}
    read_json({{ dbt.string_literal(raw_folder() ~ '/raw_set.json') }}, columns = {
        raw_set_id: 'varchar',
        newest_ingested_at: 'timestamp',
        absent: 'struct(table_name varchar, reason varchar)[]'
    })
{%- endmacro %}


{% macro _create_build_tables() %}
    create schema if not exists gnomon_build;
    create table if not exists gnomon_build.runs (
        run_id varchar not null,
        started_at timestamp not null,
        raw_set_id varchar not null,
        as_of_at timestamp not null,
        is_whole boolean not null,
        is_passed boolean not null,
        semantic_manifest varchar not null
    );
    create table if not exists gnomon_build.nodes (
        run_id varchar not null, node_id varchar not null, checksum varchar not null, status varchar not null
    );
    create table if not exists gnomon_build.edges (node_id varchar not null, parent_id varchar not null);
{% endmacro %}


{% macro _node_rows(results) %}
    {% set rows = [] %}
    {% for result in results %}
        {% do rows.append([
            invocation_id, result.node.unique_id, result.node.checksum.checksum | default('', true), result.status | string
        ]) %}
    {% endfor %}
    {{ return(rows) }}
{% endmacro %}


{% macro _edge_rows() %}
    {% set rows = [] %}
    {% for node in graph.nodes.values() if node.resource_type in ('model', 'seed', 'snapshot') %}
        {% for parent_id in node.depends_on.nodes %}
            {% do rows.append([node.unique_id, parent_id]) %}
        {% endfor %}
    {% endfor %}
    {{ return(rows) }}
{% endmacro %}


{% macro _insert_rows(relation, rows) %}
    {% set tuples = [] %}
    {% for row in rows %}
        {% set literals = [] %}
        {% for value in row %}{% do literals.append(dbt.string_literal(value)) %}{% endfor %}
        {% do tuples.append('(' ~ literals | join(', ') ~ ')') %}
    {% endfor %}
    {% if tuples %}
        {% do run_query('insert into ' ~ relation ~ ' values ' ~ tuples | join(', ')) %}
    {% endif %}
{% endmacro %}
