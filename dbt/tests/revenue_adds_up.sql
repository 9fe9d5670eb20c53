-- Every mart that splits the shop's revenue must add up to the orders' own, to the cent.
with totals as (
    select
        'daily_revenue' as mart,
        sum(revenue) as revenue
    from {{ ref('daily_revenue') }}
    union all
    select
        'product_performance' as mart,
        sum(revenue) as revenue
    from {{ ref('product_performance') }}
    union all
    select
        'category_performance' as mart,
        sum(revenue) as revenue
    from {{ ref('category_performance') }}
),

expected as (
    select sum(revenue) as revenue
    from {{ source('curated', 'fct_orders') }}
)

select
    totals.mart,
    totals.revenue,
    expected.revenue as expected_revenue
from totals
cross join expected
where coalesce(totals.revenue, 0) <> coalesce(expected.revenue, 0)
