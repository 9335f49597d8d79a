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
    {% call statement('main') %}
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
    {% endcall %}
    {% do run_hooks(post_hooks) %}
    {% do adapter.commit() %}
    {% do return({'relations': [target_relation]}) %}
{% endmaterialization %}


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
