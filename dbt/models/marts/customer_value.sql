-- the clock never reaches the data: recency counts from the latest order that the lake holds
with latest as (
    select max(order_date) as as_of_date from {{ ref('int_orders') }}
),

scored as (
    select
        customers.customer_id,
        date_diff('day', customers.last_order_date, latest.as_of_date) as recency_days,
        {{ quintile('customers.last_order_date') }} as recency_score,
        {{ quintile('customers.orders') }} as frequency_score,
        {{ quintile('customers.revenue') }} as monetary_score
    from {{ ref('int_customers') }} as customers
    cross join latest
    where customers.orders > 0
)

select
    customers.customer_id,
    customers.city,
    customers.country,
    customers.age_band,
    customers.income_band,
    customers.household_size,
    customers.signed_up_at,
    customers.first_order_date,
    customers.last_order_date,
    scored.recency_days,
    customers.orders,
    customers.revenue,
    {{ money_per('customers.revenue', 'customers.orders') }} as average_order_value,
    scored.recency_score,
    scored.frequency_score,
    scored.monetary_score,
    case
        when scored.customer_id is null then 'no orders'
        when scored.recency_score >= 4 and scored.frequency_score >= 4 and scored.monetary_score >= 4 then 'champions'
        when scored.recency_score >= 3 and scored.frequency_score >= 3 then 'loyal'
        when scored.recency_score >= 4 then 'promising'
        when scored.recency_score <= 2 and scored.frequency_score >= 3 then 'at risk'
        when scored.recency_score <= 2 then 'hibernating'
        else 'occasional'
    end as segment
from {{ ref('int_customers') }} as customers
left join scored on customers.customer_id = scored.customer_id
