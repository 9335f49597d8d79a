with final as (
    select cast(days.generated as date) as date_day
    from generate_series(
        timestamp '2020-01-01', timestamp '2030-12-31', interval 1 day
    ) as days (generated)
)

select * from final
