with products as (
    select
        product_id,
        category_id
    from {{ ref('stg_curated__products') }}
)

select
    coalesce(products.category_id, -1) as category_id,
    sold.product_id,
    sold.order_month,
    sold.revenue,
    sold.discount,
    sold.discounted_gross_revenue,
    sold.discounted_items,
    sold.discounted_units,
    sold.items - sold.discounted_items as full_price_items,
    sold.units - sold.discounted_units as full_price_units
from {{ ref('int_product_months') }} as sold
left join products on sold.product_id = products.product_id
