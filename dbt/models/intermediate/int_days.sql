with bounds as (
    select
        min(order_date) as first_day,
        max(order_date) as last_day
    from {{ ref('stg_curated__orders') }}
)

select days.date_day
from {{ ref('stg_curated__days') }} as days
inner join bounds on days.date_day between bounds.first_day and bounds.last_day
