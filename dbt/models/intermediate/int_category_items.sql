with products as (
    select
        product_id,
        category_id
    from {{ ref('stg_curated__products') }}
)

select
    coalesce(products.category_id, -1) as category_id,
    items.order_id,
    items.customer_id,
    items.order_date,
    items.channel,
    items.quantity,
    items.revenue,
    items.discount,
    items.cost
from {{ ref('int_sold_items') }} as items
left join products on items.product_id = products.product_id
