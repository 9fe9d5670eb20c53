-- Money never becomes a float on its way: every column of that kind is a decimal.
-- depends_on: {{ ref('daily_revenue') }}, {{ ref('product_performance') }}, {{ ref('category_performance') }}
-- depends_on: {{ ref('customer_value') }}, {{ ref('cohort_retention') }}, {{ ref('campaign_effect') }}
-- depends_on: {{ ref('sales_by_day') }}, {{ ref('order_details') }}, {{ ref('payments_by_day') }}
select
    table_name,
    column_name,
    data_type
from {{ target.database }}.information_schema.columns
where
    table_schema = '{{ target.schema }}'
    and regexp_like(
        column_name,
        '^(gross_revenue|revenue|discount|cost|refunds|amount|average_order_value|average_price|list_price)'
    )
    and data_type not like 'decimal%'
    and column_name not like '%_rank'
