-- fct_content_actions keeps the items without an action: dropping them would flatter.
with content as (
    select * from {{ ref('fct_content') }}
),

content_actions as (
    select * from {{ ref('fct_content_actions') }}
),

final as (
    select content.content_id
    from content
    left join content_actions on content.content_id = content_actions.content_id
    where content_actions.content_id is null
)

select * from final
