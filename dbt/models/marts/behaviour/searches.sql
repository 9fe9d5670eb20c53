with numbered as (
    select
        *,
        count_if(event_type = 'search') over (partition by session_key order by occurred_at, event_id) as search_number
    from {{ ref('int_events') }}
)

-- What is looked at before the next search counts as its answer, where the browser says that it came from a search.
select
    session_key,
    search_number,
    cast(min(occurred_at) as date) as date_day,
    coalesce(min(device), 'unknown') as device,
    max(search_query) filter (where event_type = 'search') as search_query,
    max(search_results) filter (where event_type = 'search') as results,
    count_if(event_type = 'view' and came_from = 'search') > 0 as is_clicked,
    min_by(search_position, occurred_at) filter (where event_type = 'view' and came_from = 'search') as clicked_position
from numbered
where search_number > 0
group by session_key, search_number
