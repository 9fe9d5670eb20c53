select
    order_item_id,
    order_id,
    product_id,
    customer_id,
    order_date,
    channel,
    is_cancelled,
    quantity,
    revenue,
    retail_discount,
    coupon_discount,
    coupon_match_discount,
    cost
from {{ source('curated', 'fct_order_items') }}
