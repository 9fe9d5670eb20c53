with categories as (
    select
        category_id,
        max(department) as department,
        max(category_name) as category_name,
        count(distinct product_id) as products_sold,
        count(distinct order_id) as orders,
        count(distinct customer_id) as customers,
        sum(quantity) as units,
        cast(sum(revenue) as decimal(18, 2)) as revenue,
        cast(sum(discount) as decimal(18, 2)) as discount
    from {{ ref('int_sold_items') }}
    group by category_id
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
