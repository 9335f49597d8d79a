{#- Models of which a build makes again the rows of some keys only: those of `meta.touched`, a kind of key in
    int_build__touched_keys. All rows of these keys leave the table first, so that none stays that is no more. -#}


{#- Only the rows of touched keys; all of them where all is made. A condition on a key, so that it can be asked of all
    versions of a fact alike. -#}
{% macro is_touched_key(kind, column=none) -%}
    {%- if not execute -%}{%- do ref('int_build__touched_keys') -%}{%- endif -%}
    {%- if adds_to_itself() -%}
        {{ _is_of_touched_keys(_touched_keys(this), {'kind': kind, 'key': column or kind}) }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}


{#- The same of a kind of which it is known from which day on something changes. -#}
{% macro is_touched_since(kind, date) -%}
    {%- if not execute -%}{%- do ref('int_build__touched_keys') -%}{%- endif -%}
    {%- if adds_to_itself() -%}
        {{ _is_of_touched_keys(_touched_keys(this), {'kind': kind, 'key': kind, 'date': date}) }}
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}


{#- Only the rows whose key a relation names; all of them where all is made. -#}
{% macro is_named_by(key, relation, column=none) -%}
    {%- if adds_to_itself() -%}
        {{ key }} in (select {{ relation }}.{{ column or key }} from {{ relation }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}


{#- The rows that leave a model of touched keys before they are made again. -#}
{% macro is_made_again(relation, touched) -%}
    {{ _is_of_touched_keys(_touched_keys(relation), touched) }}
{%- endmacro %}


{#- The rows that are tested after: those that were made again, and those of new days. -#}
{% macro is_made(relation, touched) -%}
    {%- if touched.date -%}
        {{ touched.date }} >= least({{ first_new_day() }}, {{ _from_date(_touched_keys(relation), touched) }})
    {%- else -%}
        {{ is_made_again(relation, touched) }}
    {%- endif -%}
{%- endmacro %}


{#- Not by `exists`, which DuckDB answers ten times more slowly. -#}
{% macro _is_of_touched_keys(keys, touched) -%}
    {%- if touched.date -%}
        {{ touched.date }} >= {{ _from_date(keys, touched) }}
    {%- else -%}
        {{ touched.key }} in (select key_id from {{ keys }} where key_kind = '{{ touched.kind }}')
    {%- endif -%}
{%- endmacro %}


{% macro _from_date(keys, touched) -%}
    (
        select touched.from_date from {{ keys }} as touched
        where touched.key_kind = '{{ touched.kind }}' and touched.key_id = {{ touched.key }}
    )
{%- endmacro %}


{#- Of a model with a row for every day: the first day that is made again, of one key or, if nothing of it is touched, of
    every key. All days where all is made. -#}
{% macro first_day_made_again(kind) -%}
    {%- if not execute -%}{%- do ref('int_build__touched_keys') -%}{%- endif -%}
    {%- if adds_to_itself() -%}
        least({{ first_new_day() }}, {{ _from_date(_touched_keys(this), {'kind': kind, 'key': kind}) }})
    {%- else -%}
        date '1970-01-01'
    {%- endif -%}
{%- endmacro %}


{#- The first day that had not begun at the clock of the last build. -#}
{% macro first_new_day() -%}
    cast({{ recorded_as_of() }} - interval 1 microsecond as date) + 1
{%- endmacro %}


{#- Before days of creators are added: those that a build which failed has added leave, and the others come of age. -#}
{% macro begin_creator_days() -%}
    {%- if execute and adds_to_itself() -%}
        delete from {{ this }} where status_date >= {{ first_new_day() }};
        update {{ this }} set is_mature = not is_mature
        where is_mature != (
            status_date + to_days(1) <= (
                select mature_before_at from {{ this.incorporate(path={'identifier': 'int_build__clock'}) }}
            )
        )
    {%- endif -%}
{%- endmacro %}


{% macro _touched_keys(neighbour) -%}
    {{ neighbour.incorporate(path={'identifier': 'int_build__touched_keys'}) }}
{%- endmacro %}


{#- Whether a model, or a model or seed that it is made of, or any macro, is not what it was in the last whole and green
    build. Its rows are then all made anew. -#}
{% macro is_defined_anew(node_id) %}
    {% if graph.gnomon_defined_anew is not defined %}
        {% do graph.update({'gnomon_defined_anew': _list_defined_anew()}) %}
    {% endif %}
    {% do return(node_id in graph.gnomon_defined_anew) %}
{% endmacro %}


{% macro _list_defined_anew() %}
    {% set nodes = graph.nodes.values() | selectattr('resource_type', 'in', ['model', 'seed']) | list %}
    {% if not has_record() %}
        {% do return(nodes | map(attribute='unique_id') | list) %}
    {% endif %}
    {% set recorded = {} %}
    {% for row in run_query(
        'select node_id, max_by(checksum, started_at) from gnomon_build.nodes inner join gnomon_build.runs using (run_id) '
        ~ 'where is_whole and is_passed group by node_id'
    ).rows %}
        {% do recorded.update({row[0]: row[1]}) %}
    {% endfor %}
    {% set is_of_other_macros = run_query(
        'select coalesce(max_by(macros_checksum, started_at) != ' ~ macros_checksum() ~ ', true)'
        ~ ' from gnomon_build.runs where is_whole and is_passed'
    ).columns[0].values()[0] %}
    {% set found = {} %}
    {% for node in nodes if is_of_other_macros or recorded.get(node.unique_id) != node.checksum.checksum %}
        {% do found.update({node.unique_id: true}) %}
    {% endfor %}
    {#- One step along the graph at a time, until a step finds nothing. -#}
    {% set walk = namespace(is_done=false) %}
    {% for _ in nodes %}
        {% if not walk.is_done %}
            {% set reached = [] %}
            {% for node in nodes if node.unique_id not in found and node.depends_on.nodes | select('in', found) | list %}
                {% do reached.append(node.unique_id) %}
            {% endfor %}
            {% for node_id in reached %}{% do found.update({node_id: true}) %}{% endfor %}
            {% set walk.is_done = not reached %}
        {% endif %}
    {% endfor %}
    {% do return(found) %}
{% endmacro %}
