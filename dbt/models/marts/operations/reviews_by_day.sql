select
    review_date as date_day,
    department,
    category_name as category,
    count(*) as reviews,
    sum(rating) as stars
from {{ ref('int_reviews') }}
group by review_date, department, category_name
