select
    payment_id,
    channel,
    method,
    status,
    amount,
    paid_date
from {{ ref('stg_curated__payments') }}
