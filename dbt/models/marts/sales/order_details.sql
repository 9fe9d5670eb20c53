with ordered as (
    select
        *,
        max(case when not is_cancelled then order_date end) over (
            partition by customer_id
            order by ordered_at, order_id
            rows between unbounded preceding and 1 preceding
        ) as previous_order_date
    from {{ ref('int_orders') }}
)

select
    order_id,
    order_date,
    channel,
    customer_id,
    case
        when customer_id is null then 'unknown'
        when previous_order_date is null then 'new'
        else 'returning'
    end as customer_kind,
    is_cancelled,
    item_count as items,
    units,
    revenue,
    discount,
    if(customer_id is not null and not is_cancelled, date_diff('day', previous_order_date, order_date))
        as days_since_previous_order,
    channel = 'web' and delivered_at is not null as is_delivered,
    coalesce(channel = 'web' and delivered_at > promised_at, false) as is_late,
    if(
        channel = 'web',
        cast(date_diff('second', ordered_at, delivered_at) / decimal '3600.00' as decimal(12, 2))
    ) as delivery_hours,
    if(
        channel = 'web',
        cast(date_diff('second', ordered_at, delivered_at) / decimal '86400.00' as decimal(12, 2))
    ) as delivery_days,
    if(
        channel = 'web' and delivered_at > promised_at,
        cast(date_diff('second', promised_at, delivered_at) / decimal '86400.00' as decimal(12, 2))
    ) as days_late
from ordered
