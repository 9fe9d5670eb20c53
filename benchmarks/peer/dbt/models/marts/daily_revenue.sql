with by_day as (
    select
        order_date,
        count_if(not is_cancelled) as orders,
        sum(item_count) filter (where not is_cancelled) as items,
        sum(units) filter (where not is_cancelled) as units,
        sum(revenue) as revenue,
        sum(discount) filter (where not is_cancelled) as discount,
        count_if(is_cancelled) as cancelled_orders
    from {{ ref('int_orders') }}
    group by order_date
)

select
    days.date_day,
    cast(coalesce(by_day.orders, 0) as bigint) as orders,
    cast(coalesce(by_day.items, 0) as bigint) as items,
    cast(coalesce(by_day.units, 0) as bigint) as units,
    cast(coalesce(by_day.revenue, 0) as decimal(18, 2)) as revenue,
    cast(coalesce(by_day.discount, 0) as decimal(18, 2)) as discount,
    {{ money_per('by_day.revenue', 'by_day.orders') }} as average_order_value,
    cast(coalesce(by_day.cancelled_orders, 0) as bigint) as cancelled_orders
from {{ ref('int_days') }} as days
left join by_day on days.date_day = by_day.order_date
