{#- The raw set: the folder that GNOMON_RAW names. -#}
{% macro raw_folder() -%}
    {{ env_var('GNOMON_RAW', 'data/sample') }}
{%- endmacro %}


{#- Bind the working file to one raw set: refuse another one, and a set with undeclared holes. -#}
{% macro bind_raw_set() %}
    {% if execute and flags.WHICH in ('build', 'run', 'seed', 'test', 'snapshot') %}
        {% set folder = raw_folder() %}
        {% set record_path = folder ~ '/raw_set.json' %}
        {% set quoted_path = dbt.string_literal(record_path) %}
        {% if run_query('select file from glob(' ~ quoted_path ~ ')') | length == 0 %}
            {{ exceptions.raise_compiler_error(
                record_path ~ " is missing, so '" ~ folder ~ "' is not a raw set. GNOMON_RAW names the folder, "
                ~ "as seen from the folder in which dbt runs; "
                ~ "`gnomon simulate --out DIR` or `gnomon ingest kuairand PATH --out DIR` makes one."
            ) }}
        {% endif %}
        {{ _refuse_undeclared_holes(folder) }}
        {% set raw_set_id = run_query(
            'select raw_set_id from read_json(' ~ quoted_path ~ ')'
        ).columns[0].values()[0] %}
        {% do run_query(_create_build_tables()) %}
        {% do run_query('create table if not exists gnomon_build.raw_set (raw_set_id varchar not null)') %}
        {% set bound = run_query('select raw_set_id from gnomon_build.raw_set').columns[0].values() %}
        {% if bound | length == 0 %}
            {% do run_query(
                'insert into gnomon_build.raw_set values (' ~ dbt.string_literal(raw_set_id) ~ ')'
            ) %}
        {% elif bound[0] != raw_set_id %}
            {{ exceptions.raise_compiler_error(
                "This working file was built from the raw set '" ~ bound[0] ~ "'; '" ~ folder ~ "' is '"
                ~ raw_set_id ~ "'. Two raw sets never mix. Start afresh with `rm " ~ target.path
                ~ "`, or keep both: DBT_TARGET_PATH=target/other names another working file."
            ) }}
        {% endif %}
        {{ _refuse_an_earlier_clock(quoted_path) }}
        {{ _refuse_half_a_backfill() }}
    {% endif %}
{% endmacro %}


{#- What was known later is in the file already, and cannot be taken out of features again; a build that failed may
    have got that far, too. -#}
{% macro _refuse_an_earlier_clock(quoted_path) %}
    {% set as_of = dbt.string_literal(var('as_of')) ~ '::timestamp' if var('as_of')
        else '(select newest_ingested_at::timestamp from read_json(' ~ quoted_path ~ '))' %}
    {% set clocks = run_query(
        'select as_of_at::varchar, reached_at::varchar, as_of_at < reached_at from (select '
        ~ as_of ~ ' as as_of_at, greatest(' ~ recorded_as_of() ~ ', ' ~ _reached_as_of() ~ ') as reached_at)'
    ).rows[0] %}
    {% if clocks[2] %}
        {{ exceptions.raise_compiler_error(
            "This working file was built as of " ~ clocks[1] ~ ", and this build asks for " ~ clocks[0]
            ~ ", which is earlier. A build adds to the one before it. Build a later moment, build all of it anew with "
            ~ "`dbt build --full-refresh`, or keep both: DBT_TARGET_PATH=target/other names another working file."
        ) }}
    {% endif %}
{% endmacro %}


{#- The clock of the last build that got as far as its clock, whatever became of it. -#}
{% macro _reached_as_of() %}
    {% set clock = target.schema ~ '.int_build__clock' %}
    {% set is_there = run_query(
        "select 1 from duckdb_tables() where table_name = 'int_build__clock' and schema_name = "
        ~ dbt.string_literal(target.schema)
    ) | length %}
    {% do return(
        nothing_recorded() if flags.FULL_REFRESH or not is_there else '(select max(as_of_at) from ' ~ clock ~ ')'
    ) %}
{% endmacro %}


{% macro _refuse_half_a_backfill() %}
    {% set first, last = var('backfill_from') | string, var('backfill_to') | string %}
    {% if (first or last) and not (first and last and first <= last) %}
        {{ exceptions.raise_compiler_error(
            "backfill_from is '" ~ first ~ "' and backfill_to is '" ~ last ~ "'. A backfill names its first and its "
            ~ "last event day, in this order: --vars '{backfill_from: 2026-03-05, backfill_to: 2026-03-09}'"
        ) }}
    {% endif %}
{% endmacro %}


{% macro _refuse_undeclared_holes(folder) %}
    {% set tables = graph.sources.values() | selectattr('source_name', 'eq', 'raw') | map(attribute='name')
        | reject('eq', 'raw_set') | list %}
    {% set folders = run_query(
        "select distinct parse_path(file)[-2] from glob(" ~ dbt.string_literal(folder ~ '/*/*.parquet') ~ ")"
    ).columns[0].values() %}
    {% set missing = tables | reject('in', folders) | list %}
    {% if missing %}
        {{ exceptions.raise_compiler_error(
            folder ~ ": no Parquet file for the raw table" ~ ("s" if missing | length > 1 else "") ~ " "
            ~ missing | sort | join(', ')
            ~ ". A table that the source does not have is declared under `absent` in raw_set.json "
            ~ "and has one empty, typed file. `gnomon ingest check " ~ folder ~ "` says more."
        ) }}
    {% endif %}
{% endmacro %}
