{#- What is already there. Each macro is for models of which a build makes only the new part; in
    a build of the whole they let everything through. -#}


{#- Whether this model's table is there, and only its new part is made. In a unit test it is not, unless the
    test says `overrides: {macros: {adds_to_itself: true}}`. -#}
{% macro adds_to_itself() -%}
    {%- do return(this is not none and is_incremental()) -%}
{%- endmacro %}


{#- The clock of the last whole and green build, or the epoch if all is to be made. -#}
{% macro previous_as_of() -%}
    {%- if not execute -%}{%- do ref('int_build__clock') -%}{%- endif -%}
    {%- if adds_to_itself() -%}
        (
            select coalesce(previous_as_of_at, timestamp '1970-01-01')
            from {{ ref('int_build__clock') }}
        )
    {%- else -%}
        timestamp '1970-01-01'
    {%- endif -%}
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


{#- After the new rows of a Python model were added: dbt-duckdb leaves the table in which it made them. -#}
{% macro drop_what_python_left() -%}
    {%- if execute -%}
        {%- set rows = run_query(
            'select table_name from information_schema.tables where table_schema = '
            ~ dbt.string_literal(this.schema) ~ ' and starts_with(table_name, '
            ~ dbt.string_literal(this.identifier ~ '__dbt_tmp') ~ ')'
        ) -%}
        {%- for name in rows.columns[0].values() -%}
            drop table {{ this.incorporate(path={'identifier': name}) }};
        {%- endfor -%}
    {%- endif -%}
{%- endmacro %}


{#- The clock that the last whole and green build wrote down, as a literal; null if there is none,
    or if this build makes everything anew. -#}
{% macro recorded_as_of() -%}
    {%- set found = namespace(as_of_at=none) -%}
    {%- if execute and not flags.FULL_REFRESH -%}
        {%- set rows = run_query(
            'select cast(max_by(as_of_at, started_at) as varchar) from gnomon_build.runs '
            ~ 'where is_whole and is_passed'
        ) -%}
        {%- set found.as_of_at = rows.columns[0].values()[0] -%}
    {%- endif -%}
    {%- if found.as_of_at -%}
        {%- do return("timestamp '" ~ found.as_of_at ~ "'") -%}
    {%- endif -%}
    {%- do return(_nothing_recorded()) -%}
{%- endmacro %}


{% macro _nothing_recorded() -%}
    {%- do return('cast(null as timestamp)') -%}
{%- endmacro %}
