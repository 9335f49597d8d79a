{#- All rules of one model, in one query: a query costs dbt more than most rules cost the database. Rows of the result
    name a rule and say how many rows break it; macros/materializations.sql tells them.

    unique_key: these columns together are the key of a row: never null, and no two rows share their values.
    not_null: columns that always say something.
    at_least: the least value that a column has, where it has one.
    accepted_values: the values that a column has, where it has one.
    relationships: the column of another model in which a value is found, where there is one. -#}
{% test rules(model, unique_key=[], not_null=[], at_least={}, accepted_values={}, relationships={}) %}
    {%- set parts = [] -%}
    {%- set broken_by = _conditions_on_rows(not_null, at_least, accepted_values) -%}
    {%- if broken_by -%}{%- do parts.append(_count_rows_that(broken_by, model)) -%}{%- endif -%}
    {%- if unique_key -%}{%- do parts.append(_count_keys_without_a_row_of_their_own(unique_key, model)) -%}{%- endif -%}
    {%- for column, other in relationships.items() -%}
        {%- do parts.append(_count_rows_without_another(column, other, model)) -%}
    {%- endfor %}
    select * from (
        {{ parts | join(' union all ') }}
    )
    where row_count > 0
{% endtest %}


{#- What no single row may be, by the name of its rule. -#}
{% macro _conditions_on_rows(not_null, at_least, accepted_values) %}
    {%- set conditions = {} -%}
    {%- for column in not_null -%}
        {%- do conditions.update({column ~ ' is null': column ~ ' is null'}) -%}
    {%- endfor -%}
    {%- for column, minimum in at_least.items() -%}
        {%- do conditions.update({column ~ ' is below ' ~ minimum: column ~ ' < ' ~ minimum}) -%}
    {%- endfor -%}
    {%- for column, values in accepted_values.items() -%}
        {%- set literals = [] -%}
        {%- for value in values -%}
            {%- do literals.append(value if value is number else dbt.string_literal(value)) -%}
        {%- endfor -%}
        {%- do conditions.update({
            column ~ ' is none of ' ~ values | join(', '): column ~ ' not in (' ~ literals | join(', ') ~ ')'
        }) -%}
    {%- endfor -%}
    {%- do return(conditions) -%}
{% endmacro %}


{#- One scan for all of them. -#}
{% macro _count_rows_that(conditions, model) %}
    select unnest([
        {%- for rule, condition in conditions.items() %}
        {'rule': {{ dbt.string_literal(rule) }}, 'row_count': count(*) filter (where {{ condition }})}
        {{- ',' if not loop.last }}
        {%- endfor %}
    ], recursive := true)
    from {{ model }}
{% endmacro %}


{% macro _count_keys_without_a_row_of_their_own(columns, model) %}
    select
        {{ dbt.string_literal('the key ' ~ columns | join(', ') ~ ' is null or repeated') }} as rule,
        count(*) as row_count
    from (
        select {{ columns | join(', ') }}
        from {{ model }}
        group by {{ columns | join(', ') }}
        having count(*) > 1 or {{ columns | join(' is null or ') }} is null
    )
{% endmacro %}


{% macro _count_rows_without_another(column, other, model) %}
    select
        {{ dbt.string_literal(column ~ ' is not in ' ~ other.to.identifier ~ '.' ~ other.field) }} as rule,
        count(*) as row_count
    from (
        select {{ column }} as value
        from {{ model }}
        where {{ column }} is not null
    ) as named
    where not exists (select 1 from {{ other.to }} as other where other.{{ other.field }} = named.value)
{% endmacro %}
