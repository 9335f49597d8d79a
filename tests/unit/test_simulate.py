"""The simulated world keeps the contract, its causes come before its effects, and it hides its truth."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from gnomon.core.errors import QueryError, WarehouseError
from gnomon.core.raw_set import RawSet, arrow_schema
from gnomon.simulate import SAMPLE, SCALES, check_arguments, choose_scale, simulate
from gnomon.simulate.seasons import check_calendar
from gnomon.simulate.world import DAY, draw_moments, make_world
from tests.worlds import CONTRACT, TRUTHS, Made, open_world, read_rows

PROJECT = Path(__file__).parents[2]
SAMPLE_FOLDER = PROJECT / "data" / "sample"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    """The sample's arguments, made anew: big enough for rates to mean something."""
    folder = tmp_path_factory.mktemp("world") / "raw"
    simulate(folder, **SAMPLE)
    return open_world(folder, SAMPLE["scale"].days, SAMPLE["start"])


def make_tiny(folder: Path, seed: int = 3) -> Path:
    simulate(folder, seed=seed, scale=choose_scale("tiny", {"days": 14, "creators": 20}))
    return folder


def test_the_sample_is_what_its_arguments_make_row_for_row(made: Made) -> None:
    assert RawSet.read(SAMPLE_FOLDER) == RawSet.read(made.folder)
    assert read_rows(SAMPLE_FOLDER) == read_rows(made.folder)
    for name in TRUTHS:
        part = f"truth/{name}.parquet"
        assert pq.read_table(SAMPLE_FOLDER / part).equals(pq.read_table(made.folder / part)), part


def test_the_sample_is_under_six_megabytes() -> None:
    assert sum(path.stat().st_size for path in SAMPLE_FOLDER.rglob("*") if path.is_file()) < 6_000_000


def test_the_same_arguments_give_the_same_rows_and_another_seed_gives_others(tmp_path: Path) -> None:
    first, again, other = (read_rows(make_tiny(tmp_path / name, seed)) for name, seed in (("a", 3), ("b", 3), ("c", 4)))
    assert first == again
    assert first["engagement"] != other["engagement"]


@pytest.mark.parametrize("creators", [10, 37])
@pytest.mark.parametrize("seed", [0, 11])
def test_a_small_world_keeps_the_contract_too(tmp_path: Path, seed: int, creators: int) -> None:
    scale = choose_scale("tiny", {"days": 7, "creators": creators})
    simulate(tmp_path / "raw", seed=seed, scale=scale, start=date(2025, 12, 29))
    small = open_world(tmp_path / "raw", 7, date(2025, 12, 29))
    for name in CONTRACT.tables:
        check_table(small, name)


@pytest.mark.parametrize("name", list(CONTRACT.tables))
def test_a_raw_table_keeps_the_contract(made: Made, name: str) -> None:
    check_table(made, name)
    assert made.count(f'select count(*) from "{name}"') > 0


def check_table(world: Made, name: str) -> None:
    """Types, keys, nulls, allowed values, ranges, foreign keys and the two moments of one table."""
    table = next(table for table in CONTRACT.tables.values() if table.name == name)
    for path in (world.folder / name).glob("*.parquet"):
        assert pq.read_schema(path).equals(arrow_schema(table))
    versions = world.count(f'select count(*) from "raw_{name}"')
    key = ", ".join(table.key)
    assert world.count(f'select count(*) from (select distinct {key}, ingested_at from "raw_{name}")') == versions
    # A new version does not move its fact to another moment.
    assert world.count(f'select count(*) from (select distinct {key}, occurred_at from "raw_{name}")') == world.count(
        f'select count(*) from "{name}"'
    )
    for column in table.columns:
        bad: list[str] = []
        if not column.is_nullable:
            bad.append(f"{column.name} is null")
        if column.values:
            allowed = ", ".join(f"'{value}'" for value in column.values)
            bad.append(f"{column.name} not in ({allowed})")
        bad += [f"{column.name} < {column.low}"] if column.low is not None else []
        bad += [f"{column.name} > {column.high}"] if column.high is not None else []
        if column.reference is not None:
            target = column.reference
            bad.append(f'{column.name} not in (select {target.column} from "{target.table}")')
        for condition in bad:
            assert world.count(f'select count(*) from "{name}" where {condition}') == 0, f"{name}: {condition}"
    early = "" if table.known_ahead else " or ingested_at < occurred_at"
    assert world.count(f'select count(*) from "raw_{name}" where ingested_at > ? {early}', world.end) == 0
    if name != "policy_versions":
        assert world.count(f'select count(*) from "{name}" where occurred_at >= ?', world.end) == 0


@pytest.mark.parametrize(
    ("table", "column"),
    [
        ("orders", "paid_at"),
        ("enforcements", "notified_at"),
        ("enforcements", "restored_at"),
        ("appeals", "decided_at"),
        ("quality_reviews", "reviewed_at"),
        ("live_sessions", "ended_at"),
    ],
)
def test_no_moment_in_a_row_lies_before_it_or_after_it_became_known(made: Made, table: str, column: str) -> None:
    wrong = f"select count(*) from raw_{table} where {column} < occurred_at or {column} > ingested_at"
    assert made.count(wrong) == 0
    assert made.count(f"select count({column}) from {table}") > 0


def test_engagement_comes_after_upload_and_registration(made: Made) -> None:
    early = """
        select count(*)
        from engagement
        inner join content using (content_id)
        inner join accounts on engagement.viewer_id = accounts.account_id
        where engagement.occurred_at < content.occurred_at or engagement.occurred_at < accounts.occurred_at
    """
    assert made.count(early) == 0


def test_engagement_stops_after_removal_until_restored(made: Made) -> None:
    hidden = """
        from enforcements
        inner join {other} on enforcements.content_id = {other}.{key}
        where enforcements.action = 'remove'
            and {other}.occurred_at >= enforcements.occurred_at
    """
    now = "and {other}.occurred_at < coalesce(enforcements.restored_at, timestamp '2100-01-01')"
    for other, key in (("engagement", "content_id"), ("user_reports", "target_id"), ("product_events", "content_id")):
        assert made.count(f"select count(*) {(hidden + now).format(other=other, key=key)}") == 0
    # It goes on after restoring, so the test above would see what is not hidden.
    assert made.count(f"select count(*) {hidden.format(other='engagement', key='content_id')}") > 0


def test_nobody_posts_while_suspended_or_banned(made: Made) -> None:
    posts = """
        select count(*)
        from content
        asof inner join creator_status
            on content.creator_id = creator_status.creator_id and content.occurred_at >= creator_status.occurred_at
        where creator_status.status in ('suspended', 'banned')
    """
    assert made.count(posts) == 0
    assert made.count("select count(distinct creator_id) from creator_status where status = 'banned'") > 3


def test_every_comment_and_follow_in_engagement_has_its_own_row(made: Made) -> None:
    acts = "select viewer_id, content_id, engagement.occurred_at from engagement where event_type = 'comment'"
    texts = "select account_id, content_id, occurred_at from comments"
    assert made.ask(f"({acts}) except all ({texts})") == made.ask(f"({texts}) except all ({acts})") == []
    acts = """
        select viewer_id, creator_id, engagement.occurred_at
        from engagement inner join content using (content_id) where event_type = 'follow'
    """
    follows = "select follower_id, creator_id, occurred_at from follows where action = 'follow'"
    assert made.ask(f"({acts}) except all ({follows})") == made.ask(f"({follows}) except all ({acts})") == []


def test_content_counters_add_up_the_events(made: Made) -> None:
    summed = """
        select
            content_id,
            count(distinct engagement.occurred_at::date),
            count(*) filter (event_type = 'impression')::double,
            count(*) filter (event_type = 'view')::double,
            count(*) filter (event_type = 'view' and watch_ms >= duration_ms)::double,
            count(*) filter (event_type = 'like')::double
        from engagement inner join content using (content_id)
        where content_id in (select content_id from content_counters)
        group by content_id
    """
    stored = """
        select content_id, cell_count, impression_count, view_count, complete_play_count, like_count
        from content_counters
        where content_id in (select content_id from engagement)
    """
    assert made.ask(f"({summed}) except ({stored})") == made.ask(f"({stored}) except ({summed})") == []
    assert made.count("select count(*) from content_counters") > 1000


def test_a_finding_after_a_report_has_a_report_before_it(made: Made) -> None:
    without = """
        select count(*) from violations where detected_by = 'user_report' and not exists (
            select 1 from user_reports
            where user_reports.target_id = violations.content_id
                and user_reports.ingested_at <= violations.occurred_at
        )
    """
    assert made.count(without) == 0


def test_overturned_and_partial_appeals_restore_when_they_are_decided(made: Made) -> None:
    wrong = """
        select count(*) from appeals inner join enforcements using (enforcement_id)
        where (outcome in ('overturned', 'partial') and restored_at is distinct from decided_at)
            or (outcome not in ('overturned', 'partial') and restored_at is not null)
            or ((outcome = 'pending') <> (decided_at is null))
    """
    assert made.count(wrong) == 0


def test_a_violation_carries_the_version_in_force_when_the_item_was_uploaded(made: Made) -> None:
    wrong = """
        select count(*)
        from violations
        inner join content using (content_id)
        asof inner join policy_versions
            on violations.policy_id = policy_versions.policy_id and content.occurred_at >= policy_versions.occurred_at
        where violations.policy_version <> policy_versions.policy_version
    """
    assert made.count(wrong) == 0
    assert made.count("select count(*) from violations where policy_version = 2") > 0


def test_sales_are_attributed_to_the_last_click_within_seven_days(made: Made) -> None:
    attributed = """
        with clicks as (select * from product_events where event_type = 'click')
        select count(*), count(*) filter (
            case when order_items.occurred_at - clicks.occurred_at <= interval 7 day then clicks.content_id end
            is distinct from order_items.attributed_content_id
        )
        from order_items
        inner join orders using (order_id)
        asof left join clicks
            on orders.buyer_id = clicks.viewer_id
            and order_items.product_id = clicks.product_id
            and order_items.occurred_at >= clicks.occurred_at
    """
    lines, wrong = made.ask(attributed)[0]
    assert lines == made.count("select count(*) from order_items")
    # Two clicks in one second have no order in the table.
    assert wrong <= 2


def test_samples_are_drawn_from_the_frames_that_they_state(made: Made) -> None:
    frames = {
        "view": "select occurred_at as t from engagement where event_type = 'view' and not is_ad and not is_owner",
        "upload": "select occurred_at as t from content",
        "registration": f"select occurred_at as t from accounts where occurred_at >= timestamp '{made.start}'",
        "action": "select occurred_at as t from enforcements",
    }
    for frame, items in frames.items():
        wrong = f"""
            with designs as (
                -- Later ones hold items that happened and have not been delivered yet.
                select occurred_at, frame_ends_at, sum(frame_size) as size from sampling_designs
                where frame = ? and frame_ends_at < timestamp '{made.end}' - interval 6 day
                group by all
            )
            select count(*) from designs
            where size <> (select count(*) from ({items}) where t >= designs.occurred_at and t < frame_ends_at)
        """
        assert made.count(wrong, frame) == 0, frame


def test_reviews_agree_with_their_designs(made: Made) -> None:
    wrong = """
        with firsts as (
            select design_id, stratum, count(*) as reviews, count(distinct target_id) as targets,
                min(inclusion_probability) as low, max(inclusion_probability) as high
            from quality_reviews where not is_double and not is_gold group by all
        )
        select count(*) from sampling_designs left join firsts using (design_id, stratum)
        -- A design is told again each week while its labels come in.
        where coalesce(reviews, 0) < response_count
            or (frame_ends_at < ? and coalesce(reviews, 0) <> response_count)
            or coalesce(targets, 0) <> coalesce(reviews, 0)
            or response_count > sample_size or sample_size > frame_size
            or inclusion_probability <> sample_size / frame_size
            or low <> inclusion_probability or high <> inclusion_probability
    """
    assert made.count(wrong, made.end - timedelta(days=35)) == 0
    orphans = """
        select count(*) from quality_reviews anti join sampling_designs using (design_id, stratum)
    """
    assert made.count(orphans) == 0


def test_a_weighted_sample_finds_the_true_rate(made: Made) -> None:
    """A weighted mean over a full-size world lands near the truth once reviewer error is allowed for."""
    estimate = made.count("""
        select sum(is_positive::int / inclusion_probability) / sum(1 / inclusion_probability)
        from quality_reviews where design_id like 'upload-%' and not is_double and not is_gold
    """)
    truth = made.count("select avg(is_violating::int) from truth_content")
    # Reviewers say yes to 93 % of bad items and to 2 to 4 % of good ones.
    assert 0.93 * truth + 0.02 * (1 - truth) - 0.01 < estimate < 0.93 * truth + 0.024 * (1 - truth) + 0.012


@pytest.mark.parametrize(
    ("what", "sql", "low", "high"),
    [
        ("items", "select count(*) from content", 10_000, 14_000),
        ("engagement", "select count(*) from engagement", 120_000, 180_000),
        ("orders", "select count(*) from orders", 6_000, 10_000),
        ("bad uploads", "select avg(is_violating::int) from truth_content", 0.04, 0.08),
        ("unpaid orders", "select avg((paid_at is null)::int) from orders", 0.06, 0.10),
        (
            "items with a product",
            "select avg((product_id is not null)::int) from content",
            0.28,
            0.40,
        ),
        (
            "bad items found",
            """
            select avg((violation_id is not null)::int)
            from truth_content left join violations using (content_id) where is_violating
            """,
            0.30,
            0.75,
        ),
        ("right actions", "select avg(is_right::int) from truth_actions", 0.70, 0.95),
        (
            "reports per bad item over reports per good one",
            """
            select sum(reports) filter (is_violating) / count(*) filter (is_violating)
                / (sum(reports) filter (not is_violating) / count(*) filter (not is_violating))
            from (
                select is_violating, (select count(*) from user_reports where target_id = content_id) as reports
                from truth_content
            )
            """,
            3,
            100,
        ),
    ],
)
def test_rates_are_in_their_stated_ranges(made: Made, what: str, sql: str, low: float, high: float) -> None:
    assert low <= made.count(sql) <= high, what


def test_bad_items_get_less_than_their_share_of_views(made: Made) -> None:
    views = made.count("""
        select avg(is_violating::int) from engagement inner join truth_content using (content_id)
        where event_type = 'view' and not is_owner and not is_ad
    """)
    assert 0 < views < made.count("select avg(is_violating::int) from truth_content")


def test_appeals_are_filed_more_often_against_wrong_actions(made: Made) -> None:
    rates = dict(
        made.ask("""
            select is_right, avg((appeal_id is not null)::int)
            from truth_actions left join appeals using (enforcement_id) group by is_right
        """)
    )
    assert rates[False] > 1.3 * rates[True]  # type: ignore[operator]


def test_some_devices_and_networks_are_shared_by_people_who_run_nothing(made: Made) -> None:
    for hash_column in ("device_hash", "network_hash", "payment_hash"):
        shared = f"""
            select count(*) from (
                select {hash_column} from account_events inner join truth_accounts using (account_id)
                where operator_id is null and {hash_column} is not null
                group by 1 having count(distinct account_id) > 1
            )
        """
        assert made.count(shared) > 10, hash_column


def test_no_raw_table_has_a_column_of_the_truth(made: Made) -> None:
    raw = {column.name for table in CONTRACT.tables.values() for column in table.columns}
    told = {name for truth in TRUTHS for name in pq.read_schema(made.folder / "truth" / f"{truth}.parquet").names}
    assert told & raw <= {"account_id", "content_id", "enforcement_id", "policy_id"}


def test_ids_follow_time_and_say_nothing_more(made: Made) -> None:
    for name in ("accounts", "content", "engagement", "orders", "user_reports"):
        key = next(table for table in CONTRACT.tables.values() if table.name == name).key[0]
        disorder = f"""
            select count(*) from (
                select occurred_at < lag(occurred_at) over (order by {key}) as is_back from {name}
            ) where is_back
        """
        assert made.count(disorder) == 0, name
    # Within a day, a bad item's counter is as often above a good one's as below it.
    pairs = """
        with items as (
            select content_id, is_violating, occurred_at::date as day
            from content inner join truth_content using (content_id)
        )
        select avg((bad.content_id > good.content_id)::int)
        from items as bad inner join items as good using (day)
        where bad.is_violating and not good.is_violating
    """
    assert made.count(pairs) == pytest.approx(0.5, abs=0.05)


def test_nothing_is_left_that_looks_finished_when_writing_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def break_down(self: RawSet, folder: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(RawSet, "write", break_down)
    with pytest.raises(OSError, match="disk full"):
        make_tiny(tmp_path / "raw")
    assert not (tmp_path / "raw").exists()
    monkeypatch.undo()
    assert RawSet.read(make_tiny(tmp_path / "raw")).raw_set_id.startswith("simulated-s3-d14-c20-20260302-")
    assert [path.name for path in tmp_path.iterdir()] == ["raw"]


def test_a_folder_that_holds_something_is_refused_and_left_alone(tmp_path: Path) -> None:
    (tmp_path / "note.txt").write_text("mine")
    with pytest.raises(WarehouseError, match="exists and is not empty"):
        make_tiny(tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["note.txt"]


@pytest.mark.parametrize(
    ("scale", "overrides", "text"),
    [
        ("tiny", {"days": 6}, "days 6: a world has at least 7 days"),
        ("tiny", {"creators": 9}, "creators 9: a world has at least 10 creators"),
        ("tiny", {"clicks_per_view": -1}, "clicks_per_view -1.0: a number of a scale is from 0"),
        ("tiny", {"days": float("nan")}, "days nan: is counted in whole numbers"),
        ("tiny", {"creators": float("inf")}, "creators inf: is counted in whole numbers"),
        ("tiny", {"days": 7.9}, "days 7.9: is counted in whole numbers"),
        ("tiny", {"creater": 9}, "Did you mean 'creators'"),
        ("huge", {}, "unknown scale 'huge'"),
    ],
)
def test_a_world_that_makes_no_sense_is_refused(scale: str, overrides: dict[str, float], text: str) -> None:
    with pytest.raises(QueryError) as refusal:
        choose_scale(scale, overrides)
    assert text in str(refusal.value)


def test_a_world_where_nobody_posts_is_made(tmp_path: Path) -> None:
    simulate(tmp_path / "raw", seed=7, scale=choose_scale("tiny", {"days": 7, "creators": 10, "posts_per_creator": 0}))
    assert read_rows(tmp_path / "raw")["content"] == []


def test_an_unknown_scenario_is_refused_when_the_arguments_are_checked(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="unknown scenario 'spam'"):
        check_arguments(tmp_path / "raw", seed=7, scale=SCALES["tiny"], scenarios=["spam"])


def test_a_negative_seed_is_refused(tmp_path: Path) -> None:
    with pytest.raises(QueryError, match="seed -1: a seed is 0 or more"):
        simulate(tmp_path / "raw", seed=-1, scale=SCALES["tiny"])
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("start", "days"),
    [(date(2025, 12, 11), 14), (date(2028, 12, 19), 14), (date(2026, 3, 2), 99_999_999), (date.min, 7)],
)
def test_a_world_of_days_without_a_calendar_is_refused(tmp_path: Path, start: date, days: int) -> None:
    with pytest.raises(QueryError, match="campaigns are known from 2023-12-13 to 2028-12-31"):
        simulate(tmp_path / "raw", seed=1, scale=replace(SCALES["tiny"], days=days), start=start)
    assert list(tmp_path.iterdir()) == []


def test_the_calendars_first_and_last_worlds_are_made() -> None:
    check_calendar(date(2025, 12, 12), 14)
    check_calendar(date(2028, 12, 18), 14)


@pytest.mark.parametrize("out", ["file", "file/raw"])
def test_where_no_folder_can_be_made_nothing_is_simulated(tmp_path: Path, out: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(WarehouseError, match=r"Name another --out"):
        make_tiny(tmp_path / out)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


def test_a_topics_stream_does_not_move_with_another_topic() -> None:
    world = make_world(1, SCALES["tiny"], date(2026, 3, 2))
    world.draw_stream("other").random(1000)
    assert world.draw_stream("one").random() == world.draw_stream("one").random()
    assert world.draw_stream("one").random() != world.draw_stream("two").random()
    assert world.day(1).draw_stream("one").random() != world.day(2).draw_stream("one").random()


def test_drawn_moments_stay_inside_their_bounds() -> None:
    rng = make_world(1, SCALES["tiny"], date(2026, 3, 2)).draw_stream("moments")
    low = np.arange(0, 1000 * DAY, DAY, dtype=np.int64)
    high = low + np.tile([1, 5, 3600, 10 * DAY], 250)
    moments = draw_moments(rng, low, high, np.arange(1000) % 8)
    assert ((moments >= low) & (moments < high)).all()


def test_importing_the_room_loads_no_heavy_library() -> None:
    code = "import sys, gnomon.simulate; print([m for m in ('numpy', 'pyarrow', 'duckdb') if m in sys.modules])"
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert answer.stdout.strip() == "[]"
