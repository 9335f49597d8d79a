{#- Write into the working file what this run built, with which definitions, and whether all of it passed. -#}
{% macro record_build(results) %}
    {% if execute and flags.WHICH in ('build', 'run') %}
        {% do run_query(_create_build_tables()) %}
        {% set kinds = ['model', 'seed', 'snapshot', 'test', 'unit_test'] %}
        {% set built = results | selectattr('node.resource_type', 'in', kinds) | list %}
        {% set failed = built | rejectattr('status', 'in', ['success', 'pass', 'warn']) | list %}
        {% set is_whole = _is_whole_build() %}
        {% set target = flags.TARGET_PATH or 'target' %}
        {#- Only the last run's manifests are read; those of a year would outweigh the data. -#}
        {% do run_query("update gnomon_build.runs set semantic_manifest = '', dbt_manifest = null") %}
        {% do run_query(
            'insert into gnomon_build.runs (run_id, started_at, raw_set_id, as_of_at, is_whole, is_passed, '
            ~ 'semantic_manifest, dbt_manifest, macros_checksum) select '
            ~ dbt.string_literal(invocation_id) ~ ', '
            ~ dbt.string_literal(run_started_at.strftime('%Y-%m-%d %H:%M:%S')) ~ '::timestamp, '
            ~ 'record.raw_set_id, '
            ~ (dbt.string_literal(var('as_of')) if var('as_of') else 'record.newest_ingested_at') ~ '::timestamp, '
            ~ is_whole ~ ', ' ~ (failed | length == 0) ~ ', semantic.content, whole.content, ' ~ macros_checksum() ~ ' '
            ~ 'from ' ~ _raw_record() ~ ' as record '
            ~ 'cross join read_text(' ~ dbt.string_literal(target ~ '/semantic_manifest.json') ~ ') as semantic '
            ~ 'cross join read_text(' ~ dbt.string_literal(target ~ '/manifest.json') ~ ') as whole'
        ) %}
        {% do run_query(
            'create or replace table gnomon_build.absent_tables as '
            ~ 'select unnest(absent, recursive := true) from ' ~ _raw_record()
        ) %}
        {% do _insert_rows(
            'gnomon_build.nodes (run_id, node_id, checksum, status, seconds)', _node_rows(built)
        ) %}
        {% do _count_rows(built) %}
        {% do run_query('delete from gnomon_build.project_nodes') %}
        {% do _insert_rows('gnomon_build.project_nodes', _project_rows(kinds)) %}
        {% do run_query('delete from gnomon_build.edges') %}
        {% do _insert_rows('gnomon_build.edges', _edge_rows()) %}
    {% endif %}
{% endmacro %}


{#- Unit tests say nothing of the data: a build without them is whole. -#}
{% macro _is_whole_build() %}
    {% set names = ['select', 'selector', 'resource_types'] %}
    {% set chosen = invocation_args_dict.items() | selectattr(0, 'in', names) | selectattr(1) | list %}
    {% set left_out = (invocation_args_dict.get('exclude') or []) | list
        + (invocation_args_dict.get('exclude_resource_types') or []) | list %}
    {% set unit_tests = ['unit_test', 'test_type:unit', 'resource_type:unit_test'] %}
    {{ return(flags.WHICH == 'build' and not chosen and not left_out | reject('in', unit_tests) | list) }}
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
    {#- Columns that came later, so that a working file of before keeps its history. -#}
    alter table gnomon_build.runs add column if not exists dbt_manifest varchar;
    alter table gnomon_build.runs add column if not exists macros_checksum varchar;
    alter table gnomon_build.nodes add column if not exists seconds double;
    alter table gnomon_build.nodes add column if not exists row_count bigint;
    alter table gnomon_build.nodes add column if not exists peak_memory_bytes bigint;
    create table if not exists gnomon_build.project_nodes (
        node_id varchar not null, budget_rows double, budget_per varchar
    );
    create table if not exists gnomon_build.edges (node_id varchar not null, parent_id varchar not null);
{% endmacro %}


{#- dbt has no checksum of a macro that a macro could read. Null, and so never the same, if the files are not found. -#}
{% macro macros_checksum() -%}
    (
        select md5(string_agg(content, '' order by filename))
        from read_text({{ dbt.string_literal((invocation_args_dict.get('project_dir') or '.') ~ '/macros/*.sql') }})
    )
{%- endmacro %}


{% macro _node_rows(results) %}
    {% set rows = [] %}
    {% for result in results %}
        {% do rows.append([
            invocation_id,
            result.node.unique_id,
            result.node.checksum.checksum | default('', true),
            result.status | string,
            result.execution_time | string
        ]) %}
    {% endfor %}
    {{ return(rows) }}
{% endmacro %}


{#- Count the rows of what was built: exact, and cheap, as DuckDB keeps the counts of tables and of Parquet files. -#}
{% macro _count_rows(results) %}
    {% set counts = [] %}
    {% for result in results if result.node.resource_type in ('model', 'seed', 'snapshot')
        and result.status | string == 'success' and result.node.relation_name %}
        {% do counts.append(
            'select ' ~ dbt.string_literal(result.node.unique_id) ~ ' as node_id, count(*) as row_count from '
            ~ result.node.relation_name
        ) %}
    {% endfor %}
    {% if counts %}
        {% do run_query(
            'update gnomon_build.nodes set row_count = counted.row_count from ('
            ~ counts | join(' union all ') ~ ') as counted where nodes.node_id = counted.node_id and nodes.run_id = '
            ~ dbt.string_literal(invocation_id)
        ) %}
    {% endif %}
{% endmacro %}


{#- Every node that a whole build has, with its budget of rows per row of raw tables (meta.row_budget), if any. -#}
{% macro _project_rows(kinds) %}
    {% set rows = [] %}
    {% for node in graph.nodes.values() if node.resource_type in kinds %}
        {% set budget = (node.config.meta or {}).get('row_budget') or {} %}
        {% do rows.append([node.unique_id, budget.get('rows'), budget.per | join(',') if budget.per else none]) %}
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
        {% for value in row %}
            {#- dbt.string_literal looks for the engine's own each time: too slow for thousands of words. -#}
            {% do literals.append('null' if value is none else "'" ~ value | string | replace("'", "''") ~ "'") %}
        {% endfor %}
        {% do tuples.append('(' ~ literals | join(', ') ~ ')') %}
    {% endfor %}
    {% if tuples %}
        {% do run_query('insert into ' ~ relation ~ ' values ' ~ tuples | join(', ')) %}
    {% endif %}
{% endmacro %}
