select
    order_id,
    customer_id,
    order_date,
    ordered_at,
    channel,
    is_cancelled,
    item_count,
    units,
    revenue,
    discount_amount,
    shipped_at,
    promised_at,
    delivered_at
from {{ source('curated', 'fct_orders') }}
