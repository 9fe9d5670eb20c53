select
    paid_date as date_day,
    channel,
    method,
    count(*) as payments,
    count_if(status = 'failed') as failed_payments,
    cast(coalesce(sum(amount) filter (where status <> 'failed'), 0) as decimal(18, 2)) as amount
from {{ ref('int_payments') }}
group by paid_date, channel, method
