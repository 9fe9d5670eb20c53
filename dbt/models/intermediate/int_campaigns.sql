-- A campaign is held against as many days before it; only one whose two windows the lake holds whole can tell.
with redemptions as (
    select
        campaign_id,
        count(*) as redemptions,
        count(distinct customer_id) as redeeming_customers
    from {{ ref('stg_cleaned__coupon_redemptions') }}
    group by campaign_id
),

campaigns as (
    select
        campaign_id,
        campaign_type,
        starts_on,
        ends_on,
        date_diff('day', starts_on, ends_on) + 1 as window_days,
        date_add('day', -(date_diff('day', starts_on, ends_on) + 1), starts_on) as before_starts_on,
        customer_count,
        coupon_count
    from {{ ref('stg_curated__campaigns') }}
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
    campaigns.before_starts_on,
    coalesce(campaigns.before_starts_on >= history.first_day and campaigns.ends_on <= history.last_day, false)
        as is_comparable,
    campaigns.customer_count as targeted_customers,
    campaigns.coupon_count as coupons,
    coalesce(redemptions.redemptions, 0) as redemptions,
    coalesce(redemptions.redeeming_customers, 0) as redeeming_customers
from campaigns
cross join history
left join redemptions on campaigns.campaign_id = redemptions.campaign_id
