with source as (
    select * from {{ source('raw', 'sampling_designs') }}
),

final as (
    select
        cast(design_id as varchar) as design_id,
        cast(stratum as varchar) as stratum,
        cast(frame as varchar) as frame,
        cast(cluster_unit as varchar) as cluster_unit,
        cast(frame_size as bigint) as frame_size,
        cast(sample_size as bigint) as sample_size,
        cast(response_count as bigint) as response_count,
        cast(inclusion_probability as double) as inclusion_probability,
        cast(frame_ends_at as timestamp) as frame_ends_at,
        cast(occurred_at as timestamp) as occurred_at,
        cast(ingested_at as timestamp) as ingested_at
    from source
)

select * from final
