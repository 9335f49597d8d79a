{#- What is already there. Each macro is for models of which a build makes only the new part; in
    a build of the whole they let everything through. -#}


{#- Whether this model's table is there, and only its new part is made. In a unit test it is not, unless the
    test says `overrides: {macros: {adds_to_itself: true}}`. -#}
{% macro adds_to_itself() -%}
    {%- if this is none or not is_incremental() -%}{%- do return(false) -%}{%- endif -%}
    {%- do return(not (model is defined and model.config.meta.touched and is_defined_anew(model.unique_id))) -%}
{%- endmacro %}


{#- The clock of the last whole and green build, or the epoch if all is to be made: a literal, so that
    DuckDB opens only the blocks that can have later rows. -#}
{% macro previous_as_of() -%}
    {%- if not execute -%}{%- do ref('int_build__clock') -%}{%- endif -%}
    {%- set recorded = recorded_as_of() if adds_to_itself() else nothing_recorded() -%}
    {{ "timestamp '1970-01-01'" if recorded == nothing_recorded() else recorded }}
{%- endmacro %}


{#- Only the event days that newly ingested rows touch, or of those the ones of which `mark` is true. -#}
{% macro is_touched(event_date, mark='true') -%}
    {%- if not execute -%}{%- do ref('int_build__touched_dates') -%}{%- endif -%}
    {%- if adds_to_itself() -%}
        {{ event_date }} in (
            select event_date from {{ ref('int_build__touched_dates') }} where {{ mark }}
        )
    {%- else -%}
        true
    {%- endif -%}
{%- endmacro %}


{#- Only the event days of a backfill, which are read again whenever they were delivered. -#}
{% macro is_backfilled(moment) -%}
    {%- if adds_to_itself() and var('backfill_from') -%}
        cast({{ moment }} as date) between date '{{ var("backfill_from") }}' and date '{{ var("backfill_to") }}'
    {%- else -%}
        false
    {%- endif -%}
{%- endmacro %}


{#- Before acts are added: drop those of a build that failed, and those that a backfill reads again. -#}
{% macro forget_acts_made_again() -%}
    {%- if execute and adds_to_itself() -%}
        delete from {{ this }}
        where ingested_at > {{ previous_as_of() }} or {{ is_backfilled('occurred_at') }}
    {%- endif -%}
{%- endmacro %}


{#- The same for sums of acts: a build that failed may have been of a later clock. -#}
{% macro forget_sums_made_again() -%}
    {%- if execute and adds_to_itself() -%}
        delete from {{ this }} where known_by_at > {{ previous_as_of() }}
    {%- endif -%}
{%- endmacro %}


{#- The clock that the last whole and green build wrote down, as a literal; null if there is none,
    or if this build makes everything anew. Asked once in a run, and kept beside the graph, which is
    the one thing that all nodes of a run share. -#}
{% macro recorded_as_of() -%}
    {%- if not execute or flags.FULL_REFRESH or graph.nodes is not defined -%}
        {%- do return(nothing_recorded()) -%}
    {%- endif -%}
    {%- if graph.gnomon_recorded_as_of is not defined -%}
        {%- set rows = run_query(
            'select cast(max_by(as_of_at, started_at) as varchar) from gnomon_build.runs '
            ~ 'where is_whole and is_passed'
        ) if has_record() else none -%}
        {%- set as_of_at = rows.columns[0].values()[0] if rows else none -%}
        {%- do graph.update({
            'gnomon_recorded_as_of': "timestamp '" ~ as_of_at ~ "'" if as_of_at else nothing_recorded()
        }) -%}
    {%- endif -%}
    {%- do return(graph.gnomon_recorded_as_of) -%}
{%- endmacro %}


{#- Whether builds are recorded in this file as this project does it: `dbt compile` may ask one that is older or new. -#}
{% macro has_record() -%}
    {%- do return(run_query(
        "select 1 from duckdb_columns() where schema_name = 'gnomon_build' and table_name = 'runs' "
        ~ "and column_name = 'macros_checksum'"
    ) | length > 0) -%}
{%- endmacro %}


{% macro nothing_recorded() -%}
    {%- do return('cast(null as timestamp)') -%}
{%- endmacro %}
