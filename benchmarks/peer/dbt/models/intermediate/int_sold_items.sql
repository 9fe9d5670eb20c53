select
    items.order_id,
    items.product_id,
    orders.customer_id,
    orders.order_date,
    items.quantity,
    items.sales_value as revenue,
    items.retail_discount + items.coupon_discount + items.coupon_match_discount as discount
from {{ source('shop', 'order_items') }} as items
inner join {{ ref('int_orders') }} as orders using (order_id)
where not orders.is_cancelled
