with sales as (
    select
        product_id,
        count(distinct order_id) as orders,
        sum(quantity) as units,
        sum(revenue) as revenue,
        sum(discount) as discount,
        min(order_date) as first_sold_date,
        max(order_date) as last_sold_date
    from {{ ref('int_sold_items') }}
    group by product_id
),

products as (
    select
        product_id,
        coalesce(products.department, 'UNKNOWN') as department,
        coalesce(products.category_name, 'UNKNOWN') as category_name,
        coalesce(products.product_type, 'UNKNOWN') as product_type,
        products.brand,
        products.package_size,
        products.list_price,
        coalesce(products.is_active, false) as is_active,
        coalesce(sales.orders, 0) as orders,
        cast(coalesce(sales.units, 0) as bigint) as units,
        cast(coalesce(sales.revenue, 0) as decimal(18, 2)) as revenue,
        cast(coalesce(sales.discount, 0) as decimal(18, 2)) as discount,
        sales.first_sold_date,
        sales.last_sold_date
    from {{ ref('int_products') }} as products
    full outer join sales using (product_id)
)

select
    product_id,
    department,
    category_name,
    product_type,
    brand,
    package_size,
    list_price,
    is_active,
    orders,
    units,
    revenue,
    discount,
    {{ money_per('revenue', 'units', scale=4) }} as average_price,
    {{ share('revenue', 'sum(revenue) over ()') }} as revenue_share,
    case when orders > 0 then rank() over (partition by orders > 0 order by revenue desc) end as revenue_rank,
    first_sold_date,
    last_sold_date
from products
