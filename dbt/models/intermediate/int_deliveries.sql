select
    order_id,
    order_month,
    delivered_at is not null as is_delivered,
    delivered_at > promised_at as is_late,
    cast(date_diff('second', ordered_at, delivered_at) / decimal '3600.00' as decimal(12, 2)) as delivery_hours
from {{ ref('int_orders') }}
where channel = 'web' and shipped_at is not null
