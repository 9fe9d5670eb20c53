select distinct
    campaign_id,
    customer_id
from {{ ref('stg_cleaned__campaign_customers') }}
