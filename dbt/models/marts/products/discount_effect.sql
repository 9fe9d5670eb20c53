-- How many pieces of a product an order has, with a discount on them beside without, of the same product and month. Of
-- whole orders it would be no comparison: the more lines, the likelier that something was taken off one. Pieces of
-- different products are added up as what they are worth before the discount, because fuel is sold in very small ones.
with products as (
    select
        *,
        cast(
            cast(discounted_gross_revenue * (discounted_items * full_price_units) as decimal(38, 6))
            / nullif(full_price_items * discounted_units, 0) as decimal(24, 6)
        ) as expected_gross_revenue
    from {{ ref('int_discount_months') }}
),

months as (
    select
        order_month as date_month,
        category_id,
        cast(sum(revenue) as decimal(18, 2)) as revenue,
        cast(sum(discount) as decimal(18, 2)) as discount,
        cast(sum(discounted_gross_revenue) as decimal(18, 2)) as discounted_gross_revenue,
        sum(discounted_items) as discounted_items,
        sum(discounted_units) as discounted_units,
        sum(full_price_items) as full_price_items,
        sum(full_price_units) as full_price_units,
        cast(
            coalesce(sum(discounted_gross_revenue) filter (where expected_gross_revenue is not null), 0)
            as decimal(18, 2)
        ) as matched_gross_revenue,
        cast(coalesce(sum(expected_gross_revenue), 0) as decimal(24, 6)) as expected_gross_revenue
    from products
    group by order_month, category_id
)

select
    months.date_month,
    months.category_id,
    coalesce(categories.department, 'UNKNOWN') as department,
    coalesce(categories.category_name, 'UNKNOWN') as category,
    months.revenue,
    months.discount,
    months.discounted_gross_revenue,
    months.discounted_items,
    months.discounted_units,
    months.full_price_items,
    months.full_price_units,
    {{ share('months.discount', 'months.discounted_gross_revenue') }} as depth_share,
    {{ money_per('months.discounted_units', 'months.discounted_items', scale=4) }} as units_per_discounted_item,
    {{ money_per('months.full_price_units', 'months.full_price_items', scale=4) }} as units_per_full_price_item,
    months.matched_gross_revenue,
    months.expected_gross_revenue,
    {{ share('months.matched_gross_revenue', 'months.expected_gross_revenue') }} as units_lift
from months
left join {{ ref('int_categories') }} as categories on months.category_id = categories.category_id
