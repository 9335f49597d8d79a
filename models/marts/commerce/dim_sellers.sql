with sellers as (
    {{ known_rows(ref('stg_raw__sellers')) }}
),

final as (
    select
        sellers.seller_id,
        sellers.region
    from sellers
)

select * from final
