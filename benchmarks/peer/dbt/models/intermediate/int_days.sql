with bounds as (
    select
        min(order_date) as first_day,
        max(order_date) as last_day
    from {{ ref('int_orders') }}
)

select cast(unnest(generate_series(first_day, last_day, interval 1 day)) as date) as date_day from bounds
