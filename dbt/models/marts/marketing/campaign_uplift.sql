-- How the customers that a campaign addressed changed beside those like them that it did not: difference in differences
-- within strata of what both had spent before.
with campaigns as (
    select
        campaign_id,
        campaign_type,
        starts_on,
        ends_on,
        before_starts_on
    from {{ ref('int_campaigns') }}
    where is_comparable
),

first_orders as (
    select
        customer_id,
        min(order_date) as first_order_date
    from {{ ref('int_customer_orders') }}
    group by customer_id
),

spent as (
    select
        campaigns.campaign_id,
        orders.customer_id,
        sum(orders.revenue) filter (where orders.order_date < campaigns.starts_on) as before,
        sum(orders.revenue) filter (where orders.order_date >= campaigns.starts_on) as during
    from campaigns
    inner join {{ ref('int_customer_orders') }} as orders
        on orders.order_date between campaigns.before_starts_on and campaigns.ends_on
    group by campaigns.campaign_id, orders.customer_id
),

addressed as (
    select * from {{ ref('int_addressed_customers') }}
),

customers as (
    select
        campaigns.campaign_id,
        campaigns.campaign_type,
        campaigns.starts_on,
        addressed.customer_id is not null as is_addressed,
        coalesce(spent.before, 0) as before,
        coalesce(spent.during, 0) as during
    from campaigns
    inner join first_orders on campaigns.starts_on > first_orders.first_order_date
    left join spent
        on campaigns.campaign_id = spent.campaign_id and first_orders.customer_id = spent.customer_id
    left join addressed
        on campaigns.campaign_id = addressed.campaign_id and first_orders.customer_id = addressed.customer_id
),

ranked as (
    select
        *,
        rank() over (partition by campaign_id, before > 0 order by before) as place,
        count(*) over (partition by campaign_id, before > 0) as customers
    from customers
),

placed as (
    select
        *,
        if(before > 0, cast(1 + (place - 1) * 5 / customers as integer), 0) as stratum
    from ranked
),

strata as (
    select
        campaign_id,
        campaign_type,
        starts_on,
        stratum,
        count_if(is_addressed) as addressed_customers,
        count_if(not is_addressed) as other_customers,
        cast(coalesce(sum(before) filter (where is_addressed), 0) as decimal(18, 2)) as addressed_before,
        cast(coalesce(sum(during) filter (where is_addressed), 0) as decimal(18, 2)) as addressed_during,
        cast(coalesce(sum(before) filter (where not is_addressed), 0) as decimal(18, 2)) as other_before,
        cast(coalesce(sum(during) filter (where not is_addressed), 0) as decimal(18, 2)) as other_during
    from placed
    group by campaign_id, campaign_type, starts_on, stratum
)

select
    *,
    if(
        addressed_customers > 0 and other_customers > 0,
        cast(
            addressed_during - addressed_before
            - cast((other_during - other_before) * addressed_customers as decimal(36, 2)) / other_customers
            as decimal(18, 2)
        )
    ) as uplift
from strata
