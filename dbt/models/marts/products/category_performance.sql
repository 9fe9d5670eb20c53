with sales as (
    select
        category_id,
        sum(orders) as orders,
        count(distinct customer_id) as customers,
        sum(units) as units,
        cast(sum(revenue) as decimal(18, 2)) as revenue,
        cast(sum(discount) as decimal(18, 2)) as discount
    from {{ ref('int_category_months') }}
    group by category_id
)

select
    sales.category_id,
    categories.department,
    categories.category_name,
    categories.products_sold,
    sales.orders,
    sales.customers,
    sales.units,
    sales.revenue,
    sales.discount,
    {{ share('sales.revenue', 'sum(sales.revenue) over ()') }} as revenue_share,
    rank() over (order by sales.revenue desc) as revenue_rank
from sales
inner join {{ ref('int_categories') }} as categories on sales.category_id = categories.category_id
