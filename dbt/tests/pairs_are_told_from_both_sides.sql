-- What is bought together is in no more orders than either of the two, and the same seen from either side.
select
    one_side.date_month,
    one_side.category_id,
    one_side.with_category_id,
    one_side.orders_together
from {{ ref('category_affinity') }} as one_side
left join {{ ref('category_affinity') }} as other_side
    on
        one_side.date_month = other_side.date_month
        and one_side.category_id = other_side.with_category_id
        and one_side.with_category_id = other_side.category_id
where
    one_side.orders_together > least(one_side.category_orders, one_side.with_category_orders)
    or one_side.orders_together is distinct from other_side.orders_together
    or one_side.lift is distinct from other_side.lift
    or one_side.category_id = one_side.with_category_id
