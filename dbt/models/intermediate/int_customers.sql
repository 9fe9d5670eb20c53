with purchases as (
    select
        customer_id,
        count(*) as orders,
        sum(revenue) as revenue,
        min(order_date) as first_order_date,
        max(order_date) as last_order_date
    from {{ ref('int_customer_orders') }}
    group by customer_id
),

customers as (
    select * from {{ ref('stg_curated__customers') }}
)

select
    coalesce(customers.customer_id, purchases.customer_id) as customer_id,
    customers.city,
    customers.country,
    customers.age_band,
    customers.income_band,
    customers.household_size,
    customers.signed_up_at,
    purchases.first_order_date,
    purchases.last_order_date,
    coalesce(purchases.orders, 0) as orders,
    cast(coalesce(purchases.revenue, 0) as decimal(18, 2)) as revenue
from customers
full outer join purchases on customers.customer_id = purchases.customer_id
