with sold as (
    select
        order_date,
        count(*) as orders,
        sum(item_count) as items,
        sum(units) as units,
        sum(revenue) as revenue,
        sum(discount) as discount
    from {{ ref('int_orders') }}
    where not is_cancelled
    group by order_date
),

cancelled as (
    select
        order_date,
        count(*) as cancelled_orders
    from {{ ref('int_orders') }}
    where is_cancelled
    group by order_date
)

select
    days.date_day,
    coalesce(sold.orders, 0) as orders,
    coalesce(sold.items, 0) as items,
    coalesce(sold.units, 0) as units,
    cast(coalesce(sold.revenue, 0) as decimal(18, 2)) as revenue,
    cast(coalesce(sold.discount, 0) as decimal(18, 2)) as discount,
    {{ money_per('sold.revenue', 'sold.orders') }} as average_order_value,
    coalesce(cancelled.cancelled_orders, 0) as cancelled_orders
from {{ ref('int_days') }} as days
left join sold on days.date_day = sold.order_date
left join cancelled on days.date_day = cancelled.order_date
