with campaigns as (
    select
        campaign_id,
        campaign_type,
        starts_on,
        ends_on,
        date_diff('day', starts_on, ends_on) + 1 as window_days
    from {{ source('shop', 'campaigns') }}
),

addressed as (
    select
        campaign_id,
        count(*) as targeted_customers
    from {{ source('shop', 'campaign_customers') }}
    group by campaign_id
),

given as (
    select
        campaign_id,
        count(distinct coupon_upc) as coupons
    from {{ source('shop', 'coupons') }}
    group by campaign_id
),

redeemed as (
    select
        campaign_id,
        count(*) as redemptions,
        count(distinct customer_id) as redeeming_customers
    from {{ source('shop', 'coupon_redemptions') }}
    group by campaign_id
),

effect as (
    select
        campaigns.campaign_id,
        count_if(orders.order_date >= campaigns.starts_on) as orders_during,
        count_if(orders.order_date < campaigns.starts_on) as orders_before,
        sum(orders.revenue) filter (where orders.order_date >= campaigns.starts_on) as revenue_during,
        sum(orders.revenue) filter (where orders.order_date < campaigns.starts_on) as revenue_before
    from campaigns
    inner join {{ source('shop', 'campaign_customers') }} as targets on campaigns.campaign_id = targets.campaign_id
    inner join {{ ref('int_customer_orders') }} as orders
        on
            targets.customer_id = orders.customer_id
            and orders.order_date between campaigns.starts_on - cast(campaigns.window_days as integer)
            and campaigns.ends_on
    group by campaigns.campaign_id
),

history as (
    select
        min(date_day) as first_day,
        max(date_day) as last_day
    from {{ ref('int_days') }}
)

select
    campaigns.campaign_id,
    campaigns.campaign_type,
    campaigns.starts_on,
    campaigns.ends_on,
    campaigns.window_days,
    coalesce(addressed.targeted_customers, 0) as targeted_customers,
    coalesce(given.coupons, 0) as coupons,
    coalesce(redeemed.redemptions, 0) as redemptions,
    coalesce(redeemed.redeeming_customers, 0) as redeeming_customers,
    {{ share('coalesce(redeemed.redeeming_customers, 0)', 'addressed.targeted_customers') }} as redeeming_share,
    cast(coalesce(effect.orders_during, 0) as bigint) as orders_during,
    cast(coalesce(effect.orders_before, 0) as bigint) as orders_before,
    cast(coalesce(effect.revenue_during, 0) as decimal(18, 2)) as revenue_during,
    cast(coalesce(effect.revenue_before, 0) as decimal(18, 2)) as revenue_before,
    cast(coalesce(effect.revenue_during, 0) - coalesce(effect.revenue_before, 0) as decimal(18, 2)) as revenue_change,
    coalesce(
        campaigns.starts_on - cast(campaigns.window_days as integer) >= history.first_day
        and campaigns.ends_on <= history.last_day,
        false
    ) as is_comparable
from campaigns
left join addressed using (campaign_id)
left join given using (campaign_id)
left join redeemed using (campaign_id)
left join effect using (campaign_id)
cross join history
