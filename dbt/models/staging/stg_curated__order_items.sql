select
    order_item_id,
    order_id,
    product_id,
    customer_id,
    order_date,
    is_cancelled,
    quantity,
    revenue,
    retail_discount,
    coupon_discount,
    coupon_match_discount
from {{ source('curated', 'fct_order_items') }}
