select
    campaign_id,
    campaign_type,
    starts_on,
    ends_on,
    customer_count,
    coupon_count
from {{ source('curated', 'dim_campaign') }}
