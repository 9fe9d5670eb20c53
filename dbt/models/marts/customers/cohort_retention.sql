with activity as (
    select
        first_order_month as cohort_month,
        order_month,
        count(distinct customer_id) as active_customers,
        sum(revenue) as revenue
    from {{ ref('int_customer_orders') }}
    group by first_order_month, order_month
),

cohorts as (
    select
        cohort_month,
        active_customers as cohort_size
    from activity
    where order_month = cohort_month
),

months as (
    select distinct cast(date_trunc('month', date_day) as date) as order_month
    from {{ ref('int_days') }}
)

-- months in which nobody of a cohort came back have a row too
select
    cohorts.cohort_month,
    date_diff('month', cohorts.cohort_month, months.order_month) as months_since,
    cohorts.cohort_size,
    coalesce(activity.active_customers, 0) as active_customers,
    {{ share('coalesce(activity.active_customers, 0)', 'cohorts.cohort_size') }} as retention_share,
    cast(coalesce(activity.revenue, 0) as decimal(18, 2)) as revenue
from cohorts
inner join months on cohorts.cohort_month <= months.order_month
left join activity
    on
        cohorts.cohort_month = activity.cohort_month
        and months.order_month = activity.order_month
