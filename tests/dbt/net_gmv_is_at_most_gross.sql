-- Net is gross less refunds, and violative GMV is a part of net.
select *
from {{ ref('fct_order_items') }}
where
    net_gmv_usd_amount > gmv_usd_amount
    or net_gmv_usd_amount < 0
    or violative_net_gmv_usd_amount not in (0, net_gmv_usd_amount)
    or (not is_paid and gmv_usd_amount != 0)
