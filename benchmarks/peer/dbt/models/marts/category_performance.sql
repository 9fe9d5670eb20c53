with categories as (
    select
        coalesce(products.category_id, -1) as category_id,
        coalesce(max(products.department), 'UNKNOWN') as department,
        coalesce(max(products.category_name), 'UNKNOWN') as category_name,
        count(distinct items.product_id) as products_sold,
        count(distinct items.order_id) as orders,
        count(distinct items.customer_id) as customers,
        cast(sum(items.quantity) as bigint) as units,
        cast(sum(items.revenue) as decimal(18, 2)) as revenue,
        cast(sum(items.discount) as decimal(18, 2)) as discount
    from {{ ref('int_sold_items') }} as items
    left join {{ ref('int_products') }} as products using (product_id)
    group by coalesce(products.category_id, -1)
)

select
    category_id,
    department,
    category_name,
    products_sold,
    orders,
    customers,
    units,
    revenue,
    discount,
    {{ share('revenue', 'sum(revenue) over ()') }} as revenue_share,
    rank() over (order by revenue desc) as revenue_rank
from categories
