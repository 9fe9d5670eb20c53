select
    cast(product_id as bigint) as product_id,
    quantity_on_hand,
    reorder_level
from {{ source('cleaned', 'inventory') }}
