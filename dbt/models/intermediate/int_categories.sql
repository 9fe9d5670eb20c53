with sold as (
    select distinct product_id from {{ ref('int_product_months') }}
)

select
    coalesce(products.category_id, -1) as category_id,
    coalesce(max(products.department), 'UNKNOWN') as department,
    coalesce(max(products.category_name), 'UNKNOWN') as category_name,
    count(sold.product_id) as products_sold
from {{ ref('stg_curated__products') }} as products
full outer join sold on products.product_id = sold.product_id
group by coalesce(products.category_id, -1)
