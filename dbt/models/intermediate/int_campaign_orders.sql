with targets as (
    select
        campaigns.campaign_id,
        campaigns.starts_on,
        campaigns.ends_on,
        campaigns.before_starts_on,
        addressed.customer_id
    from {{ ref('int_campaigns') }} as campaigns
    inner join {{ ref('stg_cleaned__campaign_customers') }} as addressed
        on campaigns.campaign_id = addressed.campaign_id
)

select
    targets.campaign_id,
    orders.order_id,
    orders.revenue,
    orders.order_date >= targets.starts_on as is_during
from targets
inner join {{ ref('int_customer_orders') }} as orders
    on
        targets.customer_id = orders.customer_id
        and orders.order_date between targets.before_starts_on and targets.ends_on
