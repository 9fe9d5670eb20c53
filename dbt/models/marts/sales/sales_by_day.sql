with days as (
    select
        order_date as date_day,
        category_id,
        channel,
        items,
        units,
        revenue,
        discount,
        cost,
        revenue_with_cost,
        discounted_units,
        discounted_gross_revenue,
        0 as refunded_units,
        decimal '0.00' as refunds
    from {{ ref('int_category_days') }}
    union all
    select
        refund_date as date_day,
        category_id,
        channel,
        0 as items,
        0 as units,
        decimal '0.00' as revenue,
        decimal '0.00' as discount,
        decimal '0.00' as cost,
        decimal '0.00' as revenue_with_cost,
        0 as discounted_units,
        decimal '0.00' as discounted_gross_revenue,
        refunded_units,
        refunds
    from {{ ref('int_category_refunds') }}
),

sums as (
    select
        date_day,
        category_id,
        channel,
        sum(items) as items,
        sum(units) as units,
        sum(revenue) as revenue,
        sum(discount) as discount,
        sum(cost) as cost,
        sum(revenue_with_cost) as revenue_with_cost,
        sum(discounted_units) as discounted_units,
        sum(discounted_gross_revenue) as discounted_gross_revenue,
        sum(refunded_units) as refunded_units,
        sum(refunds) as refunds
    from days
    group by date_day, category_id, channel
)

select
    sums.date_day,
    sums.category_id,
    sums.channel,
    coalesce(categories.department, 'UNKNOWN') as department,
    coalesce(categories.category_name, 'UNKNOWN') as category,
    sums.items,
    sums.units,
    cast(sums.revenue + sums.discount as decimal(18, 2)) as gross_revenue,
    cast(sums.discount as decimal(18, 2)) as discount,
    cast(sums.revenue as decimal(18, 2)) as revenue,
    cast(sums.cost as decimal(18, 2)) as cost,
    cast(sums.revenue_with_cost as decimal(18, 2)) as revenue_with_cost,
    sums.discounted_units,
    cast(sums.discounted_gross_revenue as decimal(18, 2)) as discounted_gross_revenue,
    sums.refunded_units,
    cast(sums.refunds as decimal(18, 2)) as refunds
from sums
left join {{ ref('int_categories') }} as categories on sums.category_id = categories.category_id
