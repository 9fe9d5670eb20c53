-- Every mart has one row for each combination of the columns that are its grain, and none of them is NULL.
-- One statement for all marts: each would cost Trino more than the counting.
-- depends_on: {{ ref('daily_revenue') }}, {{ ref('product_performance') }}, {{ ref('category_performance') }}
-- depends_on: {{ ref('customer_value') }}, {{ ref('cohort_retention') }}, {{ ref('campaign_effect') }}
-- depends_on: {{ ref('delivery_times') }}, {{ ref('calendar_days') }}, {{ ref('sales_by_day') }}
-- depends_on: {{ ref('order_details') }}, {{ ref('payments_by_day') }}, {{ ref('reviews_by_day') }}
-- depends_on: {{ ref('customer_churn') }}
-- depends_on: {{ ref('stock') }}, {{ ref('campaign_uplift') }}
-- depends_on: {{ ref('category_affinity') }}, {{ ref('discount_effect') }}
-- depends_on: {{ ref('sessions') }}, {{ ref('searches') }}
with broken as (
    {{ broken_grains() }}
)

select
    mart,
    count(*) as grains_broken
from broken
group by mart
