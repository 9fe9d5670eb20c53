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
    if(orders > 0, rank() over (partition by orders > 0 order by revenue desc)) as revenue_rank,
    first_sold_date,
    last_sold_date
from {{ ref('int_products') }}
