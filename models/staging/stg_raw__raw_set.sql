with source as (
    select * from {{ source('raw', 'raw_set') }}
),

final as (
    select
        cast(raw_set_id as varchar) as raw_set_id,
        cast(source as varchar) as source_name,
        cast(contract_version as bigint) as contract_version,
        cast(absent as struct(table_name varchar, reason varchar)[]) as absent_tables,
        cast(newest_ingested_at as timestamp) as newest_ingested_at
    from source
)

select * from final
