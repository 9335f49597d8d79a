{#- As dbt-duckdb's own, without grants, indexes and two renames: DuckDB puts a relation in the place of another in one
    statement, and takes it back with the transaction. dbt's own make a second relation and rename both, six statements
    for one, which is most of what a small model takes. -#}
{% materialization view, adapter='duckdb' %}
    {% set target_relation = this.incorporate(type='view') %}
    {% do _drop_unless_it_is(target_relation.type) %}
    {% do run_hooks(pre_hooks) %}
    {% call statement('main') %}
        {%- if config.get('contract').enforced %}{{ get_assert_columns_equivalent(sql) }}{% endif %}
        create or replace view {{ target_relation }} as (
            {{ sql }}
        )
    {% endcall %}
    {% do run_hooks(post_hooks) %}
    {% do adapter.commit() %}
    {% do return({'relations': [target_relation]}) %}
{% endmaterialization %}


{% materialization table, adapter='duckdb' %}
    {% set target_relation = this.incorporate(type='table') %}
    {% do _drop_unless_it_is(target_relation.type) %}
    {% do run_hooks(pre_hooks) %}
    {% call statement('main') %}{{ _create_anew(target_relation, sql) }}{% endcall %}
    {% do run_hooks(post_hooks) %}
    {% do adapter.commit() %}
    {% do return({'relations': [target_relation]}) %}
{% endmaterialization %}


{#- A build that adds: new rows are made beside the table and take the place of those that have their keys. As
    dbt-duckdb's own with delete+insert, but for the columns of both tables, which it asks for five times and this one
    once. -#}
{% materialization incremental, adapter='duckdb', supported_languages=['sql', 'python'] %}
    {% set target_relation = this.incorporate(type='table') %}
    {% set adds = adds_to_itself() %}
    {#- What Python writes is no temporary table and of another transaction: it stands in the file until it is dropped. -#}
    {% set is_python = model.language == 'python' %}
    {% set nowhere = {} if is_python else {'schema': none, 'database': none} %}
    {% set made = this.incorporate(path=dict(identifier=this.identifier ~ '__made', **nowhere)) %}
    {% do _drop_unless_it_is(target_relation.type) %}
    {% do run_hooks(pre_hooks) %}
    {% if is_python %}
        {% call statement('left', auto_begin=false) %}drop table if exists {{ made }}{% endcall %}
        {#- dbt lets Python run from here only, not from a macro. -#}
        {% call statement('main', language='python') %}
            {{- py_write_table(false, made, compiled_code) -}}
        {% endcall %}
    {% elif adds %}
        {% call statement('main') %}
            create or replace temporary table {{ made }} as (
                {{ sql }}
            )
        {% endcall %}
    {% else %}
        {% call statement('main') %}{{ _create_anew(target_relation, sql) }}{% endcall %}
    {% endif %}
    {% if adds %}
        {% do _take_new_columns(made, target_relation) %}
        {% call statement('added') %}
            {{ _delete_replaced(made, target_relation, config.get('unique_key')) }}
            insert into {{ target_relation }} by name (select * from {{ made }});
            drop table {{ made }}
        {% endcall %}
    {% elif is_python %}
        {% call statement('added') %}
            create or replace table {{ target_relation }} as (select * from {{ made }});
            drop table {{ made }}
        {% endcall %}
    {% endif %}
    {% do run_hooks(post_hooks) %}
    {% do adapter.commit() %}
    {% do return({'relations': [target_relation]}) %}
{% endmaterialization %}


{#- Nothing to do if the new rows have the columns of the table, and both those of the contract. dbt's own macros say
    what else is wrong, or add the columns. -#}
{% macro _take_new_columns(made, target_relation) %}
    {% set said = run_query(
        'select true as is_made, column_name, column_type from (describe ' ~ made ~ ') union all '
        ~ 'select false, column_name, column_type from (describe ' ~ target_relation ~ ')'
    ) %}
    {% set columns = {true: [], false: []} %}
    {% for row in said.rows %}
        {% do columns[row[0]].append(row[1] ~ ' ' ~ row[2] | lower | replace(' ', '')) %}
    {% endfor %}
    {% if model.language == 'sql' and config.get('contract').enforced %}
        {% set promised = [] %}
        {% for column in model.columns.values() %}
            {% do promised.append(column.name ~ ' ' ~ column.data_type | lower | replace(' ', '')) %}
        {% endfor %}
        {% if promised | sort != columns[true] | sort %}
            {% do get_assert_columns_equivalent(sql) %}
        {% endif %}
    {% endif %}
    {% if columns[true] | sort != columns[false] | sort %}
        {% do process_schema_changes(config.get('on_schema_change'), made, target_relation) %}
    {% endif %}
{% endmacro %}


{#- Of the new rows only those of which meta.replaced_by holds can stand in the place of older ones. By several columns
    as a join, so that DuckDB opens only the blocks that can have the keys. -#}
{% macro _delete_replaced(made, target_relation, unique_key) %}
    {% if config.get('meta').touched %}
        delete from {{ target_relation }} where {{ is_made_again(target_relation, config.get('meta').touched) }};
    {% elif unique_key is string %}
        delete from {{ target_relation }} where {{ unique_key }} in (select {{ unique_key }} from {{ made }});
    {% elif unique_key %}
        delete from {{ target_relation }} as replaced
        using (
            select distinct {{ unique_key | join(', ') }} from {{ made }}
            {{ 'where ' ~ render(config.get('meta').replaced_by) if config.get('meta').replaced_by }}
        ) as made
        where {% for key in unique_key %}{{ 'and ' if not loop.first }}replaced.{{ key }} = made.{{ key }}
        {% endfor %};
    {% endif %}
{% endmacro %}


{% macro _create_anew(target_relation, sql) %}
    {% if config.get('contract').enforced -%}
        {{ get_assert_columns_equivalent(sql) }}
        create or replace table {{ target_relation }} {{ get_table_columns_and_constraints() }};
        insert into {{ target_relation }} {{ get_column_names() }} (
            {{ get_select_subquery(sql) }}
        )
    {%- else -%}
        create or replace table {{ target_relation }} as (
            {{ sql }}
        )
    {%- endif %}
{% endmacro %}


{#- A table does not replace a view, nor a view a table. -#}
{% macro _drop_unless_it_is(type) %}
    {% set existing = load_cached_relation(this) %}
    {% if existing is not none and existing.type != type %}
        {% do adapter.drop_relation(existing) %}
    {% endif %}
{% endmacro %}


{#- dbt's own, which says how many results there are; of a test of rules it is said which rules are broken too: on the
    screen, and in run_results.json as the test's adapter_response. -#}
{% materialization test, adapter='duckdb' %}
    {% set built = materialization_test_default() %}
    {% set counted = load_result('main').table %}
    {% if counted.rows[0]['should_error'] and model.get('test_metadata', {}).get('name') == 'rules' %}
        {% set words = _name_broken_rules(run_query(sql).rows) %}
        {% do print(words) %}
        {% do store_raw_result('main', message=words, code='BROKEN_RULES', rows_affected=0, agate_table=counted) %}
    {% endif %}
    {% do return(built) %}
{% endmaterialization %}


{% macro _name_broken_rules(rows) %}
    {% set name = model.attached_node.split('.')[-1] %}
    {% set lines = [] %}
    {% for row in rows %}
        {% do lines.append(name ~ ': ' ~ row['rule'] ~ ' (' ~ row['row_count'] ~ ')') %}
    {% endfor %}
    {% do return(lines | join('\n')) %}
{% endmacro %}
