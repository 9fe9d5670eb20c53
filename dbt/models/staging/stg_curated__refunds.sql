select
    refund_id,
    order_id,
    product_id,
    channel,
    quantity,
    amount,
    refund_date
from {{ source('curated', 'fct_refunds') }}
