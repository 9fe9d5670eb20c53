select
    order_id,
    product_id,
    customer_id,
    order_date,
    channel,
    quantity,
    revenue,
    retail_discount + coupon_discount + coupon_match_discount as discount,
    cost
from {{ ref('stg_curated__order_items') }}
where not is_cancelled
