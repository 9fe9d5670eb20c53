-- A customer counts as lost in a month when there was an order in the three months before it, and none in it.
with active as (
    select distinct
        customer_id,
        order_month
    from {{ ref('int_customer_orders') }}
),

bounds as (
    select
        min(order_month) as first_month,
        max(order_month) as last_month
    from active
),

before as (
    select distinct
        active.customer_id,
        date_add('month', later.month_count, active.order_month) as churn_month
    from active
    cross join (values 1, 2, 3) as later (month_count)
),

months as (
    select
        before.churn_month,
        count(*) as customers_before,
        count_if(active.customer_id is null) as customers_lost
    from before
    cross join bounds
    left join active on before.customer_id = active.customer_id and before.churn_month = active.order_month
    where before.churn_month between date_add('month', 3, bounds.first_month) and bounds.last_month
    group by before.churn_month
)

select
    cast(churn_month as date) as date_month,
    customers_before,
    customers_lost
from months
