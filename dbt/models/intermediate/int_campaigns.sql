with redemptions as (
    select
        campaign_id,
        count(*) as redemptions,
        count(distinct customer_id) as redeeming_customers
    from {{ ref('stg_cleaned__coupon_redemptions') }}
    group by campaign_id
)

select
    campaigns.campaign_id,
    campaigns.campaign_type,
    campaigns.starts_on,
    campaigns.ends_on,
    date_diff('day', campaigns.starts_on, campaigns.ends_on) + 1 as window_days,
    campaigns.customer_count as targeted_customers,
    campaigns.coupon_count as coupons,
    coalesce(redemptions.redemptions, 0) as redemptions,
    coalesce(redemptions.redeeming_customers, 0) as redeeming_customers
from {{ ref('stg_curated__campaigns') }} as campaigns
left join redemptions on campaigns.campaign_id = redemptions.campaign_id
