-- Each pair is told from both sides, because confidence has a direction. One that is seldom bought together is left
-- out: a handful of orders makes any lift.
with pairs as (
    select
        order_month,
        category_id,
        other_category_id as with_category_id,
        orders
    from {{ ref('int_category_pairs') }}
    union all
    select
        order_month,
        other_category_id as category_id,
        category_id as with_category_id,
        orders
    from {{ ref('int_category_pairs') }}
),

months as (
    select
        order_month,
        count(*) as orders
    from {{ ref('int_orders') }}
    where not is_cancelled
    group by order_month
),

category_months as (
    select
        order_month,
        category_id,
        sum(orders) as orders
    from {{ ref('int_category_months') }}
    group by order_month, category_id
),

counted as (
    select
        pairs.order_month as date_month,
        pairs.category_id,
        pairs.with_category_id,
        pairs.orders as orders_together,
        category_months.orders as category_orders,
        with_months.orders as with_category_orders,
        months.orders as all_orders
    from pairs
    inner join months on pairs.order_month = months.order_month
    inner join category_months
        on pairs.order_month = category_months.order_month and pairs.category_id = category_months.category_id
    inner join category_months as with_months
        on pairs.order_month = with_months.order_month and pairs.with_category_id = with_months.category_id
    where pairs.orders >= 5 and pairs.orders * 100 >= months.orders
)

select
    counted.date_month,
    counted.category_id,
    counted.with_category_id,
    coalesce(categories.department, 'UNKNOWN') as department,
    coalesce(categories.category_name, 'UNKNOWN') as category,
    coalesce(with_categories.department, 'UNKNOWN') as with_department,
    coalesce(with_categories.category_name, 'UNKNOWN') as with_category,
    counted.orders_together,
    counted.category_orders,
    counted.with_category_orders,
    counted.all_orders,
    cast(
        cast(counted.category_orders * counted.with_category_orders as decimal(38, 6)) / counted.all_orders
        as decimal(18, 6)
    ) as expected_together,
    {{ share('counted.orders_together', 'counted.all_orders') }} as support_share,
    {{ share('counted.orders_together', 'counted.category_orders') }} as confidence_share,
    cast(
        cast(counted.orders_together * counted.all_orders as decimal(38, 6))
        / (counted.category_orders * counted.with_category_orders) as decimal(18, 6)
    ) as lift
from counted
left join {{ ref('int_categories') }} as categories on counted.category_id = categories.category_id
left join {{ ref('int_categories') }} as with_categories on counted.with_category_id = with_categories.category_id
