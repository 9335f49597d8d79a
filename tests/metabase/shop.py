"""What is wanted in these tests: thirteen cards, two dashboards with tabs, an alert, a subscription and two groups."""

from __future__ import annotations

from gnomon.publish.metabase.wanted import (
    Alert,
    Card,
    ClickThrough,
    Collection,
    Dashboard,
    Dashcard,
    Database,
    Equals,
    Field,
    FieldAddress,
    FieldTag,
    Floored,
    Group,
    MetricQuery,
    NativeQuery,
    Parameter,
    Ratio,
    Schedule,
    Subscription,
    Sum,
    Tab,
    Table,
    TableAddress,
    TableQuery,
    Wanted,
)

SCHEMA = "serving"
ORDERS, CASES, STAMP = (TableAddress(SCHEMA, name) for name in ("orders_daily", "appeal_cases", "copy_stamp"))
WAREHOUSE = {
    (SCHEMA, "orders_daily"): {"day": "type/Date", "region": "type/Text", "tier": "type/Text", "gmv": "type/Decimal",
                               "orders": "type/BigInteger", "refunds": "type/BigInteger", "is_mature": "type/Boolean"},
    (SCHEMA, "appeal_cases"): {"case_id": "type/Text", "region": "type/Text", "opened_at": "type/DateTime"},
    (SCHEMA, "copy_stamp"): {"generation_id": "type/Text"},
}  # fmt: skip
DETAILS = {"host": "db", "port": 5432, "dbname": "gnomon", "user": "reader", "ssl": False}


def of(table: TableAddress, column: str) -> FieldAddress:
    return FieldAddress(table.schema, table.table, column)


REGION = FieldTag("region", "Region", of(ORDERS, "region"), "string/=")
DAYS = FieldTag("days", "Days", of(ORDERS, "day"), "date/all-options")
CASE_REGION = FieldTag("region", "Region", of(CASES, "region"), "string/=")
WHERE = "where true [[AND {{days}}]] [[AND {{region}}]]"


def chart(key: str, name: str, sql: str, display: str = "line", **settings: object) -> Card:
    query = NativeQuery(f"{sql}\n{WHERE}\ngroup by 1\norder by 1", (DAYS, REGION))
    return Card(key, "question", name, f"{name}, by day in UTC.", "ops", query, display, settings, ("day", "value"))  # type: ignore[arg-type]


def make_shop() -> Wanted:
    select = "select serving.orders_daily.day, sum(serving.orders_daily.{}) as value\nfrom serving.orders_daily"
    questions = [
        chart("gmv", "GMV", select.format("gmv"), "line", **{"graph.dimensions": ["day"], "graph.metrics": ["value"]}),
        chart("orders", "Orders", select.format("orders"), "bar"),
        chart("refunds", "Refunds", select.format("refunds"), "area", **{"graph.goal_value": 12.5}),
        chart("gmv_total", "GMV of the days shown", select.format("gmv"), "smartscalar"),
        chart("orders_by_region", "Orders by region", select.format("orders"), "bar"),
        chart("orders_table", "Orders, in numbers", select.format("orders"), "table"),
        chart("refunds_by_tier", "Refunds by tier", select.format("refunds"), "pie"),
        chart("gmv_by_tier", "GMV by tier", select.format("gmv"), "row"),
        Card("cases", "question", "Cases", "The open cases.", "cases",
             NativeQuery("select * from serving.appeal_cases where true [[AND {{region}}]]", (CASE_REGION,)), "table",
             {}, ("case_id", "region", "opened_at")),
    ]  # fmt: skip
    models = [
        Card("orders_model", "model", "Orders a day", "All orders.", "models", TableQuery(ORDERS), "table"),
        Card("cases_model", "model", "Appeal cases", "All cases.", "models", TableQuery(CASES), "table"),
    ]
    mature = Equals(of(ORDERS, "is_mature"), True)
    metrics = [
        Card("gmv_metric", "metric", "GMV", "Of mature days.", "metrics",
             MetricQuery(ORDERS, Sum(of(ORDERS, "gmv")), (mature,), of(ORDERS, "day"), "day"), "line"),
        Card("refund_rate", "metric", "Refund rate", "Refunds per order, of 30 at least.", "metrics",
             MetricQuery(ORDERS, Floored(Ratio(Sum(of(ORDERS, "refunds")), Sum(of(ORDERS, "orders"))),
                                         Sum(of(ORDERS, "orders")), 30),
                         (mature, Equals(of(ORDERS, "tier"), "gold")), of(ORDERS, "day"), "week"), "line"),
    ]  # fmt: skip
    both = {"days": "days", "region": "region"}
    click = ClickThrough("cases", {"region": "region"})
    commerce = Dashboard(
        "commerce", "Commerce", "What is sold.", "ops",
        (Parameter("days", "Days", "date/all-options", "past30days"), Parameter("region", "Region", "string/=")),
        (Tab("gmv", "Sales"), Tab("after", "After the sale")),
        (
            Dashcard("words", "gmv", 0, 0, 24, 2, text="**Days** end at midnight, UTC."),
            Dashcard("gmv", "gmv", 2, 0, 12, 6, card="gmv", wires=both),
            Dashcard("orders", "gmv", 2, 12, 12, 6, card="orders", wires=both, settings={"card.title": "All orders"}),
            Dashcard("by_region", "gmv", 8, 0, 24, 6, card="orders_by_region", wires=both, click=click),
            Dashcard("refunds", "after", 0, 0, 12, 6, card="refunds", wires=both),
            Dashcard("by_tier", "after", 0, 12, 12, 6, card="refunds_by_tier", wires={"region": "region"}),
        ),
    )  # fmt: skip
    appeals = Dashboard(
        "appeals", "Appeals", "What is appealed.", "cases", (Parameter("region", "Region", "string/=", ["north"]),),
        (Tab("list", "List"),),
        (
            Dashcard("cases", "list", 0, 0, 24, 9, card="cases", wires={"region": "region"}),
            Dashcard("model", "list", 9, 0, 24, 6, card="cases_model", wires={"region": "region"}),
        ),
    )  # fmt: skip
    columns = (
        Field("day", "The day, UTC."),
        Field("region", "Where the buyer is.", "type/Category"),
        Field("gmv", "What was paid.", "type/Currency"),
        Field("is_mature", "Whether the day is over for good.", None, None, True),
    )
    return Wanted(
        definition_version="d1",
        generation_id="g1",
        database=Database("copy", "Gnomon", "postgres", DETAILS),
        tables=(
            Table(ORDERS, "Orders a day", "One row per day, region and tier.", False, columns),
            Table(CASES, "Appeal cases", "One row per case.", False,
                  (Field("case_id", "The case.", "type/PK"),
                   Field("region", "Where it is.", None, of(ORDERS, "region")))),
            Table(STAMP, "Stamp", "Which generation this is.", True, ()),
        ),
        collections=(
            Collection("top", "Gnomon", "Written by code; edits are found and kept."),
            Collection("ops", "Operations", "For ops.", "top"),
            Collection("cases", "Cases", "For who works on cases.", "top"),
            Collection("models", "Models", "", "top"),
            Collection("metrics", "Metrics", "", "top"),
        ),
        cards=(*questions, *models, *metrics),
        dashboards=(commerce, appeals),
        alerts=(Alert("many_refunds", "refunds", "goal_above", Schedule(8), ("ops@example.com",)),),
        subscriptions=(
            Subscription("weekly", "commerce", "Commerce, weekly", Schedule(7, "mon"), ("a@example.com", "b@x.com")),
        ),
        groups=(Group("ops", "Ops", ("ops", "top")), Group("case_workers", "Case workers", ("cases",))),
    )  # fmt: skip
