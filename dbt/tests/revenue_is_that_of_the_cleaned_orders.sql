-- What the first mart says was sold must be what the shop's own rows say, to the cent.
with mart as (
    select sum(revenue) as revenue
    from {{ ref('daily_revenue') }}
),

shop as (
    select sum(items.sales_value) as revenue
    from {{ source('cleaned', 'order_items') }} as items
    inner join {{ source('cleaned', 'orders') }} as orders on items.order_id = orders.order_id
    where orders.status <> 'cancelled'
)

select
    mart.revenue,
    shop.revenue as expected_revenue
from mart
cross join shop
where coalesce(mart.revenue, 0) <> coalesce(shop.revenue, 0)
