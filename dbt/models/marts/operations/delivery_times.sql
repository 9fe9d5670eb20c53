select
    order_month,
    count(*) as shipped_orders,
    count_if(is_delivered) as delivered_orders,
    count_if(is_late) as late_orders,
    {{ share('count_if(is_late)', 'count_if(is_delivered)') }} as late_share,
    cast(avg(delivery_hours) as decimal(12, 2)) as average_hours,
    {{ exact_percentile('delivery_hours', '0.5') }} as median_hours,
    {{ exact_percentile('delivery_hours', '0.95') }} as p95_hours
from {{ ref('int_deliveries') }}
group by order_month
