-- the clock never reaches the data: recency counts from the latest order that the lake holds
with latest as (
    select max(order_date) as as_of_date from {{ ref('int_orders') }}
),

scored as (
    select
        customers.*,
        date_diff('day', customers.last_order_date, latest.as_of_date) as recency_days,
        {{ quintile('customers.last_order_date', among='customers.orders > 0') }} as recency_score,
        {{ quintile('customers.orders', among='customers.orders > 0') }} as frequency_score,
        {{ quintile('customers.revenue', among='customers.orders > 0') }} as monetary_score
    from {{ ref('int_customers') }} as customers
    cross join latest
)

select
    customer_id,
    city,
    country,
    age_band,
    income_band,
    household_size,
    signed_up_at,
    first_order_date,
    last_order_date,
    recency_days,
    orders,
    revenue,
    {{ money_per('revenue', 'orders') }} as average_order_value,
    recency_score,
    frequency_score,
    monetary_score,
    case
        when orders = 0 then 'no orders'
        when recency_score >= 4 and frequency_score >= 4 and monetary_score >= 4 then 'champions'
        when recency_score >= 3 and frequency_score >= 3 then 'loyal'
        when recency_score >= 4 then 'promising'
        when recency_score <= 2 and frequency_score >= 3 then 'at risk'
        when recency_score <= 2 then 'hibernating'
        else 'occasional'
    end as segment
from scored
