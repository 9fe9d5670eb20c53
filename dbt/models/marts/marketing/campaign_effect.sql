with effect as (
    select
        campaign_id,
        count_if(is_during) as orders_during,
        count_if(not is_during) as orders_before,
        sum(revenue) filter (where is_during) as revenue_during,
        sum(revenue) filter (where not is_during) as revenue_before
    from {{ ref('int_campaign_orders') }}
    group by campaign_id
),

campaigns as (
    select * from {{ ref('int_campaigns') }}
)

select
    campaigns.campaign_id,
    campaigns.campaign_type,
    campaigns.starts_on,
    campaigns.ends_on,
    campaigns.window_days,
    campaigns.targeted_customers,
    campaigns.coupons,
    campaigns.redemptions,
    campaigns.redeeming_customers,
    {{ share('campaigns.redeeming_customers', 'campaigns.targeted_customers') }} as redeeming_share,
    coalesce(effect.orders_during, 0) as orders_during,
    coalesce(effect.orders_before, 0) as orders_before,
    cast(coalesce(effect.revenue_during, 0) as decimal(18, 2)) as revenue_during,
    cast(coalesce(effect.revenue_before, 0) as decimal(18, 2)) as revenue_before,
    cast(coalesce(effect.revenue_during, 0) - coalesce(effect.revenue_before, 0) as decimal(18, 2)) as revenue_change,
    campaigns.is_comparable
from campaigns
left join effect on campaigns.campaign_id = effect.campaign_id
