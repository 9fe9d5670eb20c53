with items as (
    select
        order_item_id,
        order_id,
        product_id,
        customer_id,
        order_date,
        quantity,
        revenue,
        retail_discount + coupon_discount + coupon_match_discount as discount
    from {{ ref('stg_curated__order_items') }}
    where not is_cancelled
),

products as (
    select
        product_id,
        category_id,
        department,
        category_name
    from {{ ref('stg_curated__products') }}
)

select
    items.order_item_id,
    items.order_id,
    items.product_id,
    items.customer_id,
    items.order_date,
    items.quantity,
    items.revenue,
    items.discount,
    coalesce(products.category_id, -1) as category_id,
    coalesce(products.department, 'UNKNOWN') as department,
    coalesce(products.category_name, 'UNKNOWN') as category_name
from items
left join products on items.product_id = products.product_id
