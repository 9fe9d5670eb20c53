select
    order_id,
    customer_id,
    order_date,
    cast(date_trunc('month', order_date) as date) as order_month,
    ordered_at,
    channel,
    is_cancelled,
    item_count,
    units,
    revenue,
    discount_amount as discount,
    shipped_at,
    promised_at,
    delivered_at
from {{ ref('stg_curated__orders') }}
