with deliveries as (
    select
        order_month,
        delivered_at is not null as is_delivered,
        delivered_at > promised_at as is_late,
        cast(round(date_diff('second', ordered_at, delivered_at) / 3600.00, 2) as decimal(12, 2)) as delivery_hours
    from {{ ref('int_orders') }}
    where channel = 'web' and shipped_at is not null
)

select
    order_month,
    count(*) as shipped_orders,
    cast(count_if(is_delivered) as bigint) as delivered_orders,
    cast(count_if(is_late) as bigint) as late_orders,
    {{ share('count_if(is_late)', 'count_if(is_delivered)') }} as late_share,
    cast(round(avg(delivery_hours), 2) as decimal(12, 2)) as average_hours,
    quantile_disc(delivery_hours, 0.5) as median_hours,
    quantile_disc(delivery_hours, 0.95) as p95_hours
from deliveries
group by order_month
