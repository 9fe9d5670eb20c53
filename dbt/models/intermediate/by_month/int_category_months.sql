-- A customer buys from a category in several months, so who it was is kept: -1 where that is not known, because NULL
-- joins with nothing. Distinct orders apart from the sums, as in int_product_months.
with items as (
    select
        category_id,
        coalesce(customer_id, -1) as customer_id,
        cast(date_trunc('month', order_date) as date) as order_month,
        order_id,
        quantity,
        revenue,
        discount
    from {{ ref('int_category_items') }}
    where {{ in_touched_months('order_date') }}
),

category_orders as (
    select distinct
        category_id,
        customer_id,
        order_month,
        order_id
    from items
),

orders as (
    select
        category_id,
        customer_id,
        order_month,
        count(*) as orders
    from category_orders
    group by category_id, customer_id, order_month
),

sums as (
    select
        category_id,
        customer_id,
        order_month,
        sum(quantity) as units,
        cast(sum(revenue) as decimal(18, 2)) as revenue,
        cast(sum(discount) as decimal(18, 2)) as discount
    from items
    group by category_id, customer_id, order_month
)

select
    sums.category_id,
    nullif(sums.customer_id, -1) as customer_id,
    sums.order_month,
    orders.orders,
    sums.units,
    sums.revenue,
    sums.discount
from sums
inner join orders
    on
        sums.category_id = orders.category_id
        and sums.customer_id = orders.customer_id
        and sums.order_month = orders.order_month
