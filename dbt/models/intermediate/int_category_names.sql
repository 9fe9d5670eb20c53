select distinct
    category_id,
    department,
    category_name
from {{ ref('stg_curated__products') }}
where category_id is not null
