select
    stock.product_id,
    coalesce(products.department, 'UNKNOWN') as department,
    coalesce(products.category_name, 'UNKNOWN') as category,
    cast(stock.quantity_on_hand as bigint) as on_hand,
    cast(stock.reorder_level as bigint) as reorder_level
from {{ ref('stg_cleaned__inventory') }} as stock
left join {{ ref('stg_curated__products') }} as products on stock.product_id = products.product_id
