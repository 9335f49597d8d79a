{#- dbt's own, which says how many results there are; of a test of rules it is said which rules are broken too: on the
    screen, and in run_results.json as the test's adapter_response. -#}
{% materialization test, adapter='duckdb' %}
    {% set built = materialization_test_default() %}
    {% set counted = load_result('main').table %}
    {% if counted.rows[0]['should_error'] and model.get('test_metadata', {}).get('name') == 'rules' %}
        {% set words = _name_broken_rules(run_query(sql).rows) %}
        {% do print(words) %}
        {% do store_raw_result('main', message=words, code='FAIL', rows_affected=0, agate_table=counted) %}
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
