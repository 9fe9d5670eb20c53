select
    order_id,
    customer_id,
    order_date,
    order_month,
    min(order_month) over (partition by customer_id) as first_order_month,
    revenue
from {{ ref('int_orders') }}
where not is_cancelled and customer_id is not null
