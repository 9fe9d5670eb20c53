-- An event that was sent twice counts once. A session ends where its visitor did nothing for half an hour, whatever the
-- browser calls the same session; the order of events is that in which they happened, not that in which they arrived.
with told as (
    select
        session_id,
        event_type,
        product_id,
        order_id,
        occurred_at,
        min(event_id) as event_id,
        max(customer_id) as customer_id,
        min_by(properties, event_id) as payload
    from {{ ref('stg_cleaned__clickstream') }}
    group by session_id, event_type, product_id, order_id, occurred_at
),

spaced as (
    select
        *,
        lag(occurred_at) over (partition by session_id order by occurred_at, event_id) as previous_at
    from told
),

numbered as (
    select
        *,
        count_if(previous_at < occurred_at - interval '30' minute) over (
            partition by session_id order by occurred_at, event_id
        ) as pauses
    from spaced
)

select
    event_id,
    session_id || '.' || cast(pauses + 1 as varchar) as session_key,
    customer_id,
    product_id,
    order_id,
    event_type,
    occurred_at,
    json_extract_scalar(payload, '$.device') as device,
    json_extract_scalar(payload, '$.source') as source,
    json_extract_scalar(payload, '$.from') as came_from,
    json_extract_scalar(payload, '$.query') as search_query,
    try_cast(json_extract_scalar(payload, '$.results') as bigint) as search_results,
    try_cast(json_extract_scalar(payload, '$.position') as bigint) as search_position
from numbered
