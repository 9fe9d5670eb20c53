with ranked as (
    select
        product_id,
        rank() over (order by revenue desc) as revenue_rank
    from {{ ref('int_products') }}
    where orders > 0
)

select
    products.product_id,
    products.department,
    products.category_name,
    products.product_type,
    products.brand,
    products.package_size,
    products.list_price,
    products.is_active,
    products.orders,
    products.units,
    products.revenue,
    products.discount,
    {{ money_per('products.revenue', 'products.units') }} as average_price,
    {{ share('products.revenue', 'sum(products.revenue) over ()') }} as revenue_share,
    ranked.revenue_rank,
    products.first_sold_date,
    products.last_sold_date
from {{ ref('int_products') }} as products
left join ranked on products.product_id = ranked.product_id
