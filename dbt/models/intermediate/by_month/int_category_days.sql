-- Of what was sold on a day; what a line had cost is known for some, so their revenue is summed apart. So are the lines
-- that something was taken off.
select
    category_id,
    channel,
    order_date,
    cast(date_trunc('month', order_date) as date) as order_month,
    count(*) as items,
    sum(quantity) as units,
    cast(sum(revenue) as decimal(18, 2)) as revenue,
    cast(sum(discount) as decimal(18, 2)) as discount,
    cast(coalesce(sum(cost), 0) as decimal(18, 2)) as cost,
    cast(coalesce(sum(revenue) filter (where cost is not null), 0) as decimal(18, 2)) as revenue_with_cost,
    coalesce(sum(quantity) filter (where discount <> 0), 0) as discounted_units,
    cast(coalesce(sum(revenue + discount) filter (where discount <> 0), 0) as decimal(18, 2))
        as discounted_gross_revenue
from {{ ref('int_category_items') }}
where {{ in_touched_months('order_date') }}
group by category_id, channel, order_date
