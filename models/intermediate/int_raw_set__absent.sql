with raw_set as (
    select * from {{ ref('stg_raw__raw_set') }}
),

final as (
    select
        raw_set.raw_set_id,
        coalesce(
            list_transform(raw_set.absent_tables, lambda row: row.table_name), []
        ) as table_names
    from raw_set
)

select * from final
