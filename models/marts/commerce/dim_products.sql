with products as (
    {{ known_rows(ref('stg_raw__products')) }}
),

final as (
    select
        products.product_id,
        products.seller_id,
        products.category
    from products
)

select * from final
