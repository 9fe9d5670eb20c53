select date_day from {{ source('curated', 'dim_date') }}
