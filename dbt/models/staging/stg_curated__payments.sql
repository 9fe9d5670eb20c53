select
    payment_id,
    order_id,
    channel,
    method,
    status,
    amount,
    paid_date
from {{ source('curated', 'fct_payments') }}
