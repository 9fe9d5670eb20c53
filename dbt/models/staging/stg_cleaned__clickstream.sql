select
    event_id,
    session_id,
    cast(customer_id as bigint) as customer_id,
    cast(product_id as bigint) as product_id,
    cast(order_id as bigint) as order_id,
    event_type,
    occurred_at,
    properties
from {{ source('cleaned', 'clickstream') }}
