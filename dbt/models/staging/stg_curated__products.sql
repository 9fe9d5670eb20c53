select
    product_id,
    product_name,
    category_id,
    department,
    category_name,
    brand,
    product_type,
    package_size,
    list_price,
    is_active
from {{ source('curated', 'dim_product') }}
