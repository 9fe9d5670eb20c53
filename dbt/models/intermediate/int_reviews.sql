with products as (
    select
        product_id,
        department,
        category_name
    from {{ ref('stg_curated__products') }}
)

select
    reviews.review_id,
    reviews.review_date,
    reviews.rating,
    coalesce(products.department, 'UNKNOWN') as department,
    coalesce(products.category_name, 'UNKNOWN') as category_name
from {{ ref('stg_cleaned__reviews') }} as reviews
left join products on reviews.product_id = products.product_id
