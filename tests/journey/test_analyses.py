"""The model queries of analyses/: each runs, and a number of each is derived again another way."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pytest

from gnomon import Engine
from gnomon.engine import Limits, SqlDoor
from gnomon.engine.build_record import BuildRecord
from gnomon.engine.served import Served
from gnomon.warehouse import Warehouse, check_select, select
from tests.conftest import PROJECT
from tests.journey.conftest import Built

ANALYSES = sorted((PROJECT / "analyses").glob("*.sql"))
Frames = Callable[[str], pd.DataFrame]


@pytest.fixture
def door(built_sample: Built) -> Iterator[SqlDoor]:
    warehouse = Warehouse.attach(built_sample.database, "gnomon")
    opened = SqlDoor(Served(warehouse, BuildRecord.read(warehouse)))
    yield opened
    opened.close()


@pytest.fixture
def engine(built_sample: Built) -> Iterator[Engine]:
    opened = Engine.from_manifest(built_sample.target, built_sample.database)
    yield opened
    opened.close()


@pytest.fixture
def analysis(door: SqlDoor) -> Frames:
    """Run an analysis by name."""

    def run(name: str) -> pd.DataFrame:
        path = PROJECT / "analyses" / f"{name}.sql"
        return door.answer(door.price(path.read_text(encoding="utf-8"), str(path))).to_pandas()

    return run


@pytest.fixture
def table(door: SqlDoor) -> Frames:
    """Read a whole table by name."""
    return lambda name: door.answer(door.price(f"from {name}"), Limits(max_rows=10**6)).to_pandas()


def run_on(path: Path, world: str, name: str) -> list[dict[str, object]]:
    """Run an analysis over the tables that `world` draws."""
    with duckdb.connect(str(path / "gnomon.duckdb")) as connection:
        connection.execute(world)
        drawn = {row[0] for row in connection.execute("select table_name from duckdb_tables()").fetchall()}
    warehouse = Warehouse.attach(path / "gnomon.duckdb", "gnomon")
    try:
        text = (PROJECT / "analyses" / f"{name}.sql").read_text(encoding="utf-8")
        rows: list[dict[str, object]] = select(warehouse, check_select(text, drawn), 100, 60.0).to_pylist()
        return rows
    finally:
        warehouse.close()


@pytest.mark.parametrize("path", ANALYSES, ids=lambda path: path.stem)
def test_every_analysis_says_its_question_its_method_and_how_to_read_it(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    header = lines[: next(place for place, line in enumerate(lines) if not line.startswith("--"))]
    assert "?" in " ".join(header[: header.index("--")])
    assert any(line.startswith("-- Reading: ") for line in header)
    assert f"`{path.stem}`" in (PROJECT / "docs" / "sql.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ANALYSES, ids=lambda path: path.stem)
def test_every_analysis_has_rows_on_the_sample_and_the_same_ones_again(path: Path, analysis: Frames) -> None:
    rows = analysis(path.stem)
    assert len(rows) > 0
    pd.testing.assert_frame_equal(rows, analysis(path.stem))


def test_dbt_compiles_an_analysis_to_the_text_that_the_door_runs(built_sample: Built, tmp_path: Path) -> None:
    # A target of its own, so that dbt does not open the working file for writing.
    compiled = Built(tmp_path / "target", built_sample.raw).run(
        "dbt", "compile", "--select", "path:analyses", "--no-use-colors", "--log-path", str(tmp_path / "logs")
    )
    assert compiled.returncode == 0, compiled.stdout[-3000:]
    for path in ANALYSES:
        text = path.read_text(encoding="utf-8")
        names = set(re.findall(r"ref\('(\w+)'\)", text))
        by_dbt = tmp_path / "target" / "compiled" / "gnomon" / "analyses" / path.name
        assert by_dbt.read_text(encoding="utf-8").strip() == check_select(text, names).sql.strip()


def test_the_command_runs_a_file_and_keeps_words_from_data(built_sample: Built) -> None:
    file = ("gnomon", "sql", "--file", "analyses/report_precision_by_reason.sql")
    asked = built_sample.run(*file, "--format", "json")
    assert asked.returncode == 0, asked.stderr
    document = json.loads(asked.stdout)
    assert document["columns"][:2] == ["reason", "report_count"]
    assert document["provenance"]["raw_set_id"].startswith("simulated-")
    assert "cost: reads at most" in asked.stderr
    assert "answer from definitions" in asked.stderr
    dry = built_sample.run(*file, "--dry-run")
    assert (dry.returncode, dry.stdout) == (0, "")
    assert "cost: reads at most" in dry.stderr


def test_the_command_refuses_with_exit_code_2_and_one_line(built_sample: Built) -> None:
    for arguments, words in (
        (["select * from stg_raw__orders"], "Nearest: 'fct_orders'"),
        (["from fct_content", "--max-rows", "3"], "--max-rows allows 3"),
        (["--file", "nowhere.sql"], "nowhere.sql: cannot be read"),
        ([], "takes one statement"),
        (["select 1", "--timeout", "0"], "--timeout is 0.0; it must be above 0"),
    ):
        run = built_sample.run("gnomon", "sql", *arguments)
        assert run.returncode == 2
        assert run.stdout == ""
        assert words in run.stderr.splitlines()[-1]
        assert run.stderr.splitlines()[-1].startswith("error: ")


SURVIVAL = """
create table fct_creator_days as select date '2026-01-11' as status_date;
create table fct_content as select * from (values
    ('a', timestamp '2026-01-01 00:00:00'), ('b', timestamp '2026-01-01 00:00:00'),
    ('c', timestamp '2026-01-10 22:00:00'), ('d', timestamp '2026-01-01 00:00:00'),
    ('e', timestamp '2026-01-10 12:00:00'), ('f', timestamp '2026-01-11 09:00:00')
) as t(content_id, uploaded_at);
create table fct_content_actions as select * from (values
    ('a', 1.0), ('b', 20.0), ('c', null), ('d', null), ('e', 15.0), ('f', 0.5)
) as t(content_id, hours_to_action);
"""


def test_survival_by_hand(tmp_path: Path) -> None:
    """Six items, seen until 11 January 00:00.

    a acted on at 1 h · c leaves unharmed at 2 h · e leaves at 12 h (its action came after) ·
    b acted on at 20 h · d leaves at 240 h · f was uploaded after the end.
    S(1) = 4/5; S(20) = 4/5 · 1/2 = 2/5, with 2 at risk (b, d).
    Greenwood at 24 h: 1/(5·4) + 1/(2·1) = 0.55.
    """
    rows = {row["horizon_hours"]: row for row in run_on(tmp_path, SURVIVAL, "time_to_action")}
    assert rows[1]["actioned_share"] == pytest.approx(1 / 5)
    assert rows[6]["actioned_share"] == pytest.approx(1 / 5)
    assert rows[24]["actioned_share"] == pytest.approx(3 / 5)
    assert rows[24]["standard_error"] == pytest.approx(0.4 * 0.55**0.5)
    assert [rows[hours]["watched_count"] for hours in (1, 6, 24, 168)] == [4, 3, 1, 1]
    assert rows[336]["actioned_share"] is None


STREAKS = """
create table dim_creators as select * from (values ('x', 'gold'), ('y', 'new')) as t(creator_id, tier);
create table fct_content as select * from (values
    ('x', date '2026-01-01'), ('x', date '2026-01-02'), ('x', date '2026-01-02'), ('x', date '2026-01-03'),
    ('x', date '2026-01-05'), ('x', date '2026-02-01'), ('x', date '2026-02-02'), ('y', date '2026-01-31')
) as t(creator_id, upload_date);
"""


def test_streaks_by_hand(tmp_path: Path) -> None:
    """x: 1-3 January (3 days), pause of 1 day, 5 January, pause of 26 days, 1-2 February. y: one day."""
    gold, new = run_on(tmp_path, STREAKS, "posting_streaks")
    assert (gold["streak_count"], gold["longest_streak_days"], gold["median_streak_days"]) == (3, 3, 2)
    assert (gold["longest_pause_days"], gold["median_pause_days"]) == (26, 13.5)
    assert (new["streak_count"], new["longest_streak_days"], new["longest_pause_days"]) == (1, 1, None)


LINKS = """
create table fct_orders as select range as order_id, 'b' || range % 4 as buyer_id from range(28);
create table fct_order_items as select
    range as order_id, ['k', 'l', 'm', 'n', 'o', 'p', null][range // 4 + 1] as creator_id,
    not (range // 4 = 3 and range % 4 > 1) as is_paid
from range(28);
update fct_orders set buyer_id = 'c' || order_id % 4 where order_id // 4 in (4, 5);
update fct_orders set buyer_id = 'b3' where order_id = 16;
"""


def test_links_are_followed_to_the_end(tmp_path: Path) -> None:
    """k, l, m share buyers b0-b3; n has two of them paid; o and p share three of c0-c3, and o one of the b."""
    rows = run_on(tmp_path, LINKS, "linked_creators")
    assert [(row["group_id"], row["creator_count"], row["link_count"]) for row in rows] == [("k", 3, 3), ("o", 2, 1)]


def test_survival_equals_a_product_over_sorted_items(analysis: Frames, table: Frames) -> None:
    end = pd.Timestamp(table("fct_creator_days")["status_date"].max())
    items = table("fct_content").merge(table("fct_content_actions"), on="content_id")
    items = items[items["uploaded_at"] < end]
    watched = (end - items["uploaded_at"]) / pd.Timedelta(hours=1)
    acted = items["hours_to_action"] <= watched
    hours = items["hours_to_action"].where(acted, watched)
    for row in analysis("time_to_action").itertuples():
        survival = 1.0
        for moment in sorted(hours[acted & (hours <= row.horizon_hours)].unique()):
            survival *= 1 - (acted & (hours == moment)).sum() / (hours >= moment).sum()
        assert row.actioned_share == pytest.approx(1 - survival)


def test_sittings_equal_a_walk_over_posts(analysis: Frames, table: Frames) -> None:
    opened: Counter[str] = Counter()
    tiers = table("dim_creators").set_index("creator_id")["tier"]
    for creator, posts in table("fct_content").groupby("creator_id"):
        gaps = posts["uploaded_at"].sort_values().diff()
        opened[tiers[creator]] += 1 + int((gaps > pd.Timedelta(minutes=30)).sum())
    rows = analysis("posting_sessions").set_index("tier")
    assert rows["sitting_count"].to_dict() == dict(opened)
    assert rows["post_count"].sum() == len(table("fct_content"))


def test_streaks_end_where_the_next_day_has_no_post(analysis: Frames, table: Frames) -> None:
    days = table("fct_content")[["creator_id", "upload_date"]].drop_duplicates()
    posted = set(zip(days["creator_id"], pd.to_datetime(days["upload_date"]), strict=True))
    ends = sum((creator, day + pd.Timedelta(days=1)) not in posted for creator, day in posted)
    assert analysis("posting_streaks")["streak_count"].sum() == ends


def test_retention_equals_a_count_of_sets(analysis: Frames, table: Frames) -> None:
    events = table("fct_account_events")
    events["event_date"] = pd.to_datetime(events["event_date"])
    end = events["event_date"].max() - pd.Timedelta(days=1)
    born = events[events["is_sign_up"]].groupby("account_id")["event_date"].min()
    log_ins = events[(events["event_type"] == "log_in") & events["account_id"].isin(born.index)]
    for row in analysis("registration_retention").iloc[::17].itertuples():
        first = pd.Timestamp(row.cohort_date)
        cohort = born[(born >= first) & (born < first + pd.Timedelta(days=7))]
        cohort = cohort[cohort + pd.Timedelta(days=7 * row.week_number) <= end]
        age = (log_ins["event_date"] - log_ins["account_id"].map(born)).dt.days
        seen = log_ins[(age > 7 * (row.week_number - 1)) & (age <= 7 * row.week_number)]["account_id"]
        assert (row.account_count, row.retained_count) == (len(cohort), len(set(seen) & set(cohort.index)))


def test_linked_groups_are_the_connected_parts_of_the_graph(analysis: Frames, table: Frames) -> None:
    sales = table("fct_order_items").merge(table("fct_orders")[["order_id", "buyer_id"]], on="order_id")
    buyers = sales[sales["is_paid"] & sales["creator_id"].notna()].groupby("creator_id")["buyer_id"].agg(set)
    group_of = {creator: creator for creator in buyers.index}
    linked: Counter[str] = Counter()
    for place, one in enumerate(buyers.index):
        for other in buyers.index[place + 1 :]:
            common = len(buyers[one] & buyers[other])
            if common >= 3 and common >= 0.1 * len(buyers[one] | buyers[other]):
                linked[one] += 1
                low, high = sorted((group_of[one], group_of[other]))
                group_of = {creator: low if group == high else group for creator, group in group_of.items()}
    sizes = Counter(group_of.values())
    links = Counter(dict.fromkeys(sizes, 0))
    for creator, count in linked.items():
        links[group_of[creator]] += count
    parts = {group: (size, links[group]) for group, size in sizes.items() if size > 1}
    rows = analysis("linked_creators").set_index("group_id")
    found = dict(zip(rows.index, zip(rows["creator_count"], rows["link_count"], strict=True), strict=True))
    assert found == parts


@pytest.mark.parametrize(("column", "metric"), [("impression_count", "impressions"), ("click_count", "product_clicks")])
def test_the_funnel_equals_the_metrics(analysis: Frames, engine: Engine, column: str, metric: str) -> None:
    by_metric = engine.query([metric], ["creator__tier"], ["{{ Dimension('creator__tier') }} IS NOT NULL"]).to_pandas()
    funnel = analysis("shopping_funnel_by_tier").set_index("tier")[column]
    assert funnel.to_dict() == by_metric.set_index("creator__tier")[metric].to_dict()


def test_repeat_violators_equal_a_walk_over_each_creator(analysis: Frames, table: Frames) -> None:
    rows = table("fct_violations")
    rows["violation_date"] = pd.to_datetime(rows["violation_date"])
    end = rows.loc[rows["is_mature"], "violation_date"].max()
    found: Counter[tuple[str, int, str]] = Counter()
    for (_, policy), own in rows[rows["is_upheld"]].groupby(["creator_id", "policy_id"]):
        dates = sorted(set(own["violation_date"]))
        for window in (30, 60, 90):
            last = dates[0] + pd.Timedelta(days=window)
            found[policy, window, "waiting" if last > end else "judged"] += 1
            found[policy, window, "repeated"] += last <= end and len(dates) > 1 and dates[1] <= last
    for row in analysis("repeat_violators").itertuples():
        counts = tuple(found[row.policy_id, row.window_days, word] for word in ("judged", "repeated", "waiting"))
        assert (row.creator_count, row.repeated_count, row.waiting_count) == counts


def test_an_old_cohort_of_actions_has_the_outcomes_of_the_actions(analysis: Frames, table: Frames) -> None:
    actions = table("fct_actions")
    actions["month"] = pd.to_datetime(actions["action_date"]).dt.to_period("M").dt.start_time.dt.date
    oldest = actions[actions["month"] == actions["month"].min()]
    row = analysis("appeal_outcomes_by_age").sort_values(["cohort_date", "age_weeks"]).groupby("cohort_date").last()
    first = row.iloc[0]
    assert first["action_count"] == len(oldest)
    assert first["appealed_count"] == oldest["is_appealed"].sum()
    assert first["decided_count"] == oldest["is_appeal_decided"].sum()
    assert first["overturned_count"] == oldest["is_overturned"].sum()


def test_gini_equals_the_mean_difference_of_all_pairs(analysis: Frames, table: Frames) -> None:
    counts = table("fct_creator_exposure").set_index("creator_id")["impression_count"]
    shares = np.array([counts.get(creator, 0) for creator in table("fct_content")["creator_id"].unique()], dtype=float)
    gini = np.abs(shares[:, None] - shares[None, :]).mean() / (2 * shares.mean())
    row = analysis("exposure_concentration").set_index("creator_group").loc["all"]
    assert row["gini"] == pytest.approx(gini)
    tenth = np.sort(shares)[len(shares) - len(shares) // 10 :]
    assert row["top_tenth_share"] == pytest.approx(tenth.sum() / shares.sum())


def test_attributed_complaints_add_up_to_the_metric(analysis: Frames, table: Frames, engine: Engine) -> None:
    rows = analysis("complaints_by_seller_and_cause")
    whole = engine.query(["complained_orders", "mature_paid_orders"]).to_pandas().iloc[0]
    assert rows["complaint_count"].sum() == pytest.approx(whole["complained_orders"])
    first = rows.iloc[0]
    items, orders = table("fct_order_items"), table("fct_orders").set_index("order_id")
    orders = orders[orders["is_paid"] & orders["is_mature_60d"]]
    parts = 1 / items.groupby("order_id")["seller_id"].nunique()
    own = set(items.loc[items["seller_id"] == first["seller_id"], "order_id"]) & set(orders.index)
    assert first["order_count"] == pytest.approx(parts.loc[sorted(own)].sum())
    rate = parts.loc[parts.index.isin(orders.index[orders["complaint_cause"] == first["complaint_cause"]])]
    assert first["expected_count"] == pytest.approx(first["order_count"] * len(rate) / whole["mature_paid_orders"])


def test_the_two_effects_add_up_to_the_change_of_the_metric(analysis: Frames, engine: Engine) -> None:
    rows = analysis("violation_rate_tier_mix").set_index("tier")
    daily = engine.query(["creator_violation_rate"], ["metric_time__day"]).to_pandas().dropna()
    rates = daily.set_index("metric_time__day")["creator_violation_rate"]
    after = rates.index.max()
    change = rates[after] - rates[after - pd.Timedelta(days=28)]
    whole = rows.loc["all tiers"]
    assert whole["after_rate"] == pytest.approx(rates[after])
    assert whole["rate_effect"] + whole["mix_effect"] == pytest.approx(change)
    tiers = rows.drop("all tiers")
    assert tiers["rate_effect"].sum() == pytest.approx(whole["rate_effect"])
    assert tiers[["before_share", "after_share"]].sum().tolist() == pytest.approx([1, 1])


def test_robust_z_equals_numpy_and_leaves_its_own_day_out(analysis: Frames, table: Frames, engine: Engine) -> None:
    rows = analysis("registration_anomalies").set_index("event_date")
    asked = engine.query(["new_registrations"], ["metric_time__day"], order_by=["metric_time__day"])
    daily = asked.to_pandas().set_index("metric_time__day")
    counts = daily["new_registrations"]
    for day in rows.index[::13]:
        moment = pd.Timestamp(day)
        before = [counts.get(moment - pd.Timedelta(days=7 * week), 0) for week in range(1, 9)]
        before = [
            count for week, count in enumerate(before, 1) if moment - pd.Timedelta(days=7 * week) >= counts.index[0]
        ]
        middle = np.median(before)
        spread = max(1.4826 * np.median(np.abs(np.array(before) - middle)), middle**0.5, 1)
        assert rows.loc[day, "registration_count"] == counts.get(moment, 0)
        assert rows.loc[day, "robust_z"] == pytest.approx((counts.get(moment, 0) - middle) / spread)
    campaigns = table("campaign_calendar")
    assert rows["is_sale_day"].sum() == sum(
        any(start <= day <= end for start, end in zip(campaigns["start_date"], campaigns["end_date"], strict=True))
        for day in rows.index
    )


def test_report_precision_adds_up_and_its_interval_is_wilsons(analysis: Frames, table: Frames) -> None:
    from scipy.stats import binomtest

    rows = analysis("report_precision_by_reason").set_index("reason")
    reports = table("fct_user_reports")
    mature = reports[(reports["target_type"] == "content") & reports["is_mature"]]
    assert rows["report_count"].to_dict() == mature["reason"].value_counts().to_dict()
    for row in rows.itertuples():
        interval = binomtest(row.confirmed_count, row.report_count).proportion_ci(method="wilson")
        assert (row.low_rate, row.high_rate) == pytest.approx((interval.low, interval.high), abs=1e-6)


def test_newcomers_are_compared_with_the_interval_of_a_risk_ratio(analysis: Frames, table: Frames) -> None:
    from scipy.stats.contingency import relative_risk

    actions = table("fct_content_actions").merge(table("dim_creators"), on="creator_id")
    mature = actions[actions["is_mature"]]
    new, old = mature[~mature["is_established"]], mature[mature["is_established"]]
    risk = relative_risk(int(new["is_actioned"].sum()), len(new), int(old["is_actioned"].sum()), len(old))
    row = analysis("newcomers_and_established").set_index("measure").loc["acted on, of posts"]
    interval = risk.confidence_interval(0.95)
    assert row["ratio"] == pytest.approx(risk.relative_risk)
    assert (row["low_ratio"], row["high_ratio"]) == pytest.approx((interval.low, interval.high), rel=1e-5)
