select
    cast(redemption_id as bigint) as redemption_id,
    cast(campaign_id as bigint) as campaign_id,
    cast(customer_id as bigint) as customer_id,
    redeemed_on
from {{ source('cleaned', 'coupon_redemptions') }}
