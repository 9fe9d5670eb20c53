-- Revenue by customer and by cohort must both be that of the orders whose customer is known, to the cent.
with totals as (
    select
        'customer_value' as mart,
        sum(revenue) as revenue
    from {{ ref('customer_value') }}
    union all
    select
        'cohort_retention' as mart,
        sum(revenue) as revenue
    from {{ ref('cohort_retention') }}
),

expected as (
    select sum(revenue) as revenue
    from {{ source('curated', 'fct_orders') }}
    where customer_id is not null
)

select
    totals.mart,
    totals.revenue,
    expected.revenue as expected_revenue
from totals
cross join expected
where coalesce(totals.revenue, 0) <> coalesce(expected.revenue, 0)
