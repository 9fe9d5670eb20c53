-- Money is summed over all orders, which says something only where all of them are in one currency.
with currencies as (
    select
        currency,
        count(*) as orders
    from {{ source('curated', 'fct_orders') }}
    group by currency
),

counted as (
    select
        currency,
        orders,
        count(*) over () as currencies
    from currencies
)

select
    currency,
    orders
from counted
where currencies > 1
