with sales as (
    select
        product_id,
        sum(orders) as orders,
        sum(units) as units,
        sum(revenue) as revenue,
        sum(discount) as discount,
        min(first_sold_date) as first_sold_date,
        max(last_sold_date) as last_sold_date
    from {{ ref('int_product_months') }}
    group by product_id
),

products as (
    select * from {{ ref('stg_curated__products') }}
)

-- a full join, so that what was sold of a product that is gone still counts
select
    coalesce(products.product_id, sales.product_id) as product_id,
    coalesce(products.product_name, 'UNKNOWN') as product_name,
    coalesce(products.department, 'UNKNOWN') as department,
    coalesce(products.category_name, 'UNKNOWN') as category_name,
    coalesce(products.product_type, 'UNKNOWN') as product_type,
    products.brand,
    products.package_size,
    products.list_price,
    coalesce(products.is_active, false) as is_active,
    coalesce(sales.orders, 0) as orders,
    coalesce(sales.units, 0) as units,
    cast(coalesce(sales.revenue, 0) as decimal(18, 2)) as revenue,
    cast(coalesce(sales.discount, 0) as decimal(18, 2)) as discount,
    sales.first_sold_date,
    sales.last_sold_date
from products
full outer join sales on products.product_id = sales.product_id
