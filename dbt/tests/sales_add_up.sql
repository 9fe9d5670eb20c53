-- Every mart that splits the shop's sales must add up to the orders' own, to the cent and to the piece.
with totals as (
    select
        'daily_revenue' as mart,
        sum(revenue) as revenue,
        sum(units) as units
    from {{ ref('daily_revenue') }}
    union all
    select
        'product_performance' as mart,
        sum(revenue) as revenue,
        sum(units) as units
    from {{ ref('product_performance') }}
    union all
    select
        'category_performance' as mart,
        sum(revenue) as revenue,
        sum(units) as units
    from {{ ref('category_performance') }}
    union all
    select
        'sales_by_day' as mart,
        sum(revenue) as revenue,
        sum(units) as units
    from {{ ref('sales_by_day') }}
    union all
    select
        'discount_effect' as mart,
        sum(revenue) as revenue,
        sum(discounted_units + full_price_units) as units
    from {{ ref('discount_effect') }}
    union all
    select
        'order_details' as mart,
        sum(revenue) as revenue,
        sum(units) filter (where not is_cancelled) as units
    from {{ ref('order_details') }}
),

expected as (
    select
        sum(revenue) as revenue,
        sum(units) as units
    from {{ source('curated', 'fct_orders') }}
    where not is_cancelled
)

select
    totals.mart,
    totals.revenue,
    expected.revenue as expected_revenue,
    totals.units,
    expected.units as expected_units
from totals
cross join expected
where
    coalesce(totals.revenue, 0) <> coalesce(expected.revenue, 0)
    or coalesce(totals.units, 0) <> coalesce(expected.units, 0)
