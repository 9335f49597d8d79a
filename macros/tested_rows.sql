{#- What a data test reads; it takes the place of dbt's own macro. A build tests what it has made:
    of a staging model what is newly delivered, of an incremental model the days that were made
    again or added. A first build, a full refresh and `dbt test` test everything. -#}
{% macro get_where_subquery(relation) -%}
    {%- set conditions = [] -%}
    {%- if config.get('where') -%}{%- do conditions.append(config.get('where')) -%}{%- endif -%}
    {%- if execute and flags.WHICH == 'build' -%}
        {%- set made = _made_by_this_build(relation) -%}
        {%- if made -%}{%- do conditions.append(made) -%}{%- endif -%}
    {%- endif -%}
    {%- if conditions -%}
        {%- do return('(select * from ' ~ relation ~ ' where ' ~ conditions | join(' and ') ~ ') as tested') -%}
    {%- endif -%}
    {%- do return(relation) -%}
{%- endmacro %}


{#- The same for a test that says what it reads itself: the days that were made again. -#}
{% macro is_tested(event_date) -%}
    {%- if flags.WHICH == 'build' and recorded_as_of() != nothing_recorded() -%}
        {{ event_date }} in (select event_date from {{ ref('int_build__touched_dates') }})
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}


{#- The same of a model: what of it the build has made. -#}
{% macro is_made_now(relation) -%}
    {{ (_made_by_this_build(relation) if execute and flags.WHICH == 'build') or 'true' }}
{%- endmacro %}


{#- As a condition on the columns of a model; none if the build has made all of it. -#}
{% macro _made_by_this_build(relation) %}
    {%- set previous = recorded_as_of() -%}
    {%- set model = graph.nodes.get('model.' ~ project_name ~ '.' ~ relation.identifier) -%}
    {%- if not model or previous == nothing_recorded() -%}
        {%- do return(none) -%}
    {%- elif model.config.meta.key -%}
        {%- do return('ingested_at > ' ~ previous) -%}
    {%- elif model.config.meta.touched -%}
        {%- do return(none if is_defined_anew(model.unique_id) else is_made(relation, model.config.meta.touched)) -%}
    {%- elif model.config.unique_key == 'as_of_at' -%}
        {%- do return('as_of_at > ' ~ previous) -%}
    {%- endif -%}
    {%- if model.name == 'int_engagement__counted' -%}
        {%- do return(_is_act_delivered_since(relation, previous)) -%}
    {%- endif -%}
    {%- for name in ['event_date', 'engagement_date'] if name in (model.config.unique_key or []) -%}
        {%- set touched = relation.incorporate(path={'identifier': 'int_build__touched_dates'}) -%}
        {%- do return(name ~ ' in (select event_date from ' ~ touched ~ ')') -%}
    {%- endfor -%}
    {%- do return(none) -%}
{% endmacro %}


{#- Acts that were delivered, and the others that have the id of one that was, if it can have been there before. -#}
{% macro _is_act_delivered_since(relation, previous) -%}
    {%- set is_delivered = 'delivered_date >= cast(' ~ previous ~ ' as date)' -%}
    event_date >= (select min(event_date) from {{ relation }} where {{ is_delivered }}) and (
        {{ is_delivered }}
        or engagement_id in (
            select engagement_id from {{ relation }}
            where {{ is_delivered }} and occurred_at <= {{ previous }}
        )
    )
{%- endmacro %}
