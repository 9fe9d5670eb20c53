select
    cast(review_id as bigint) as review_id,
    cast(product_id as bigint) as product_id,
    rating,
    cast(created_at as date) as review_date
from {{ source('cleaned', 'reviews') }}
