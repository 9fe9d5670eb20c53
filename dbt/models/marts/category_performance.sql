-- distinct orders and customers apart from the sums: rows without sums are small to hold, and can go to disk
with category_orders as (
    select distinct
        category_id,
        order_id
    from {{ ref('int_category_items') }}
),

category_customers as (
    select distinct
        category_id,
        customer_id
    from {{ ref('int_category_items') }}
),

orders as (
    select
        category_id,
        count(*) as orders
    from category_orders
    group by category_id
),

customers as (
    select
        category_id,
        count(customer_id) as customers
    from category_customers
    group by category_id
),

sums as (
    select
        category_id,
        sum(quantity) as units,
        cast(sum(revenue) as decimal(18, 2)) as revenue,
        cast(sum(discount) as decimal(18, 2)) as discount
    from {{ ref('int_category_items') }}
    group by category_id
),

sales as (
    select
        sums.*,
        orders.orders,
        customers.customers
    from sums
    inner join orders on sums.category_id = orders.category_id
    inner join customers on sums.category_id = customers.category_id
)

select
    sales.category_id,
    categories.department,
    categories.category_name,
    categories.products_sold,
    sales.orders,
    sales.customers,
    sales.units,
    sales.revenue,
    sales.discount,
    {{ share('sales.revenue', 'sum(sales.revenue) over ()') }} as revenue_share,
    rank() over (order by sales.revenue desc) as revenue_rank
from sales
inner join {{ ref('int_categories') }} as categories on sales.category_id = categories.category_id
