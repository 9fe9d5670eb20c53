with products as (
    select
        product_id,
        category_id
    from {{ ref('stg_curated__products') }}
)

select
    coalesce(products.category_id, -1) as category_id,
    refunds.channel,
    refunds.refund_date,
    sum(refunds.quantity) as refunded_units,
    cast(sum(refunds.amount) as decimal(18, 2)) as refunds
from {{ ref('stg_curated__refunds') }} as refunds
left join products on refunds.product_id = products.product_id
group by coalesce(products.category_id, -1), refunds.channel, refunds.refund_date
