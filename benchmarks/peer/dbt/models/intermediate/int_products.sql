select
    products.product_id,
    products.category_id,
    categories.department,
    categories.category_name,
    products.brand,
    products.product_type,
    products.package_size,
    products.list_price,
    cast(products.is_active as boolean) as is_active
from {{ source('shop', 'products') }} as products
left join {{ source('shop', 'categories') }} as categories using (category_id)
