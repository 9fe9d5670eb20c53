select
    customer_id,
    city,
    country,
    age_band,
    income_band,
    household_size,
    signed_up_at
from {{ source('curated', 'dim_customer') }}
