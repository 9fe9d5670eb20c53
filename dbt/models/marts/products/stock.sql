-- the clock never reaches the data: the last four weeks end with the last day that has an order
with latest as (
    select max(date_day) as date_day from {{ ref('int_days') }}
),

sold as (
    select
        items.product_id,
        sum(items.quantity) as units
    from {{ ref('int_sold_items') }} as items
    inner join latest on items.order_date > date_add('day', -28, latest.date_day)
    group by items.product_id
)

select
    latest.date_day,
    stock.product_id,
    stock.department,
    stock.category,
    stock.on_hand,
    stock.reorder_level,
    coalesce(sold.units, 0) as units_sold,
    stock.on_hand <= 0 and coalesce(sold.units, 0) > 0 as is_out,
    cast(cast(stock.on_hand as decimal(24, 2)) * 28 / nullif(sold.units, 0) as decimal(14, 2)) as cover_days
from {{ ref('int_stock') }} as stock
cross join latest
left join sold on stock.product_id = sold.product_id
