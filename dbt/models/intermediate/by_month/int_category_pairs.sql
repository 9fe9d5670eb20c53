-- First what categories an order has, then their pairs: an order becomes one row, and no table is joined with itself.
-- An order of n categories has n * (n - 1) / 2 pairs, so one of more than a hundred has none here: who buys
-- everything does not tell what goes with what.
with order_categories as (
    select distinct
        cast(date_trunc('month', order_date) as date) as order_month,
        order_id,
        category_id
    from {{ ref('int_category_items') }}
    where category_id <> -1 and {{ in_touched_months('order_date') }}
),

baskets as (
    select
        order_month,
        order_id,
        array_sort(array_agg(category_id)) as categories
    from order_categories
    group by order_month, order_id
    having count(*) between 2 and 100
)

select
    former.category_id,
    later.category_id as other_category_id,
    baskets.order_month,
    count(*) as orders
from baskets
cross join unnest(baskets.categories) with ordinality as former (category_id, place)
cross join unnest(slice(baskets.categories, former.place + 1, cardinality(baskets.categories))) as later (category_id)
group by former.category_id, later.category_id, baskets.order_month
