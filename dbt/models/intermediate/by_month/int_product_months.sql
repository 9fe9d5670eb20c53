-- distinct orders apart from the sums: rows without sums are small to hold, and can go to disk
with items as (
    select
        product_id,
        cast(date_trunc('month', order_date) as date) as order_month,
        order_id,
        order_date,
        quantity,
        revenue,
        discount
    from {{ ref('int_sold_items') }}
    where {{ in_touched_months('order_date') }}
),

product_orders as (
    select distinct
        product_id,
        order_month,
        order_id
    from items
),

orders as (
    select
        product_id,
        order_month,
        count(*) as orders
    from product_orders
    group by product_id, order_month
),

sums as (
    select
        product_id,
        order_month,
        sum(quantity) as units,
        cast(sum(revenue) as decimal(18, 2)) as revenue,
        cast(sum(discount) as decimal(18, 2)) as discount,
        count(*) as items,
        count_if(discount <> 0) as discounted_items,
        coalesce(sum(quantity) filter (where discount <> 0), 0) as discounted_units,
        cast(coalesce(sum(revenue + discount) filter (where discount <> 0), 0) as decimal(18, 2))
            as discounted_gross_revenue,
        min(order_date) as first_sold_date,
        max(order_date) as last_sold_date
    from items
    group by product_id, order_month
)

select
    sums.product_id,
    sums.order_month,
    orders.orders,
    sums.units,
    sums.revenue,
    sums.discount,
    sums.items,
    sums.discounted_items,
    sums.discounted_units,
    sums.discounted_gross_revenue,
    sums.first_sold_date,
    sums.last_sold_date
from sums
inner join orders on sums.product_id = orders.product_id and sums.order_month = orders.order_month
