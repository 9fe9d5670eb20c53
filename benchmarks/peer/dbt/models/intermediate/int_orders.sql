-- read by six of the seven marts, so it is worth a table
{{ config(materialized='table') }}

with items as (
    select
        order_id,
        count(*) as item_count,
        sum(quantity) as units,
        sum(sales_value) as gross_amount,
        sum(retail_discount + coupon_discount + coupon_match_discount) as discount
    from {{ source('shop', 'order_items') }}
    group by order_id
),

shipped as (
    select
        order_id,
        max(shipped_at) as shipped_at,
        max(promised_at) as promised_at,
        max(delivered_at) as delivered_at
    from {{ source('shop', 'shipments') }}
    group by order_id
)

select
    orders.order_id,
    orders.customer_id,
    cast(orders.ordered_at as date) as order_date,
    cast(date_trunc('month', orders.ordered_at) as date) as order_month,
    orders.ordered_at,
    orders.channel,
    orders.status = 'cancelled' as is_cancelled,
    coalesce(items.item_count, 0) as item_count,
    coalesce(items.units, 0) as units,
    case when orders.status = 'cancelled' then 0 else coalesce(items.gross_amount, 0) end as revenue,
    coalesce(items.discount, 0) as discount,
    shipped.shipped_at,
    shipped.promised_at,
    shipped.delivered_at
from {{ source('shop', 'orders') }} as orders
left join items using (order_id)
left join shipped using (order_id)
