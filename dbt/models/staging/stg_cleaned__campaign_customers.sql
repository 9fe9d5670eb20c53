select
    cast(campaign_id as bigint) as campaign_id,
    cast(customer_id as bigint) as customer_id
from {{ source('cleaned', 'campaign_customers') }}
