select
    session_key,
    cast(min(occurred_at) as date) as date_day,
    min(occurred_at) as started_at,
    max(occurred_at) as ended_at,
    coalesce(min_by(device, occurred_at) filter (where device is not null), 'unknown') as device,
    coalesce(min_by(source, occurred_at) filter (where source is not null), 'unknown') as source,
    max(customer_id) as customer_id,
    count(*) as events,
    count_if(event_type = 'search') as searches,
    count_if(event_type = 'view') as views,
    count_if(event_type = 'add_to_cart') as cart_additions,
    count_if(event_type = 'checkout') as checkouts,
    count_if(event_type = 'order') as orders,
    max(order_id) as order_id
from {{ ref('int_events') }}
group by session_key
