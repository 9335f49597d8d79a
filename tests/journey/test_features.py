"""Features and scores, built by dbt on a small random raw set, and again on what was known earlier."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import duckdb
import numpy as np
import pandas as pd
import pyarrow as pa
import pytest

from gnomon.core.contract import read_contract
from gnomon.core.raw_set import RawSet, write_table
from gnomon.scores import anomaly, risk

START = datetime(2026, 3, 2)
END = START + timedelta(days=75)
EARLIER = START + timedelta(days=54, hours=7)

# The moments of a row that can come after the row itself, with what the row holds until then.
LATER_MOMENTS = {"enforcements": ("restored_at", {}), "appeals": ("decided_at", {"outcome": "pending"})}

Frames = dict[str, pd.DataFrame]


def draw_world(seed: int) -> Frames:
    """A random world: half of the rows arrive late by hours, a tenth by days; 30 creators, 75 days."""
    rng = np.random.Generator(np.random.Philox(seed))
    creators = np.array([f"c{number:02d}" for number in range(30)])
    viewers = np.array([f"v{number:03d}" for number in range(60)])

    def at(base: np.ndarray) -> dict[str, np.ndarray]:
        late = rng.exponential(3600, len(base)) + (rng.random(len(base)) < 0.1) * rng.exponential(6 * 86400, len(base))
        return {"occurred_at": base, "ingested_at": base + late.astype("timedelta64[s]")}

    def anywhen(count: int) -> np.ndarray:
        seconds = rng.integers(0, int((END - START).total_seconds()), count)
        return np.datetime64(START, "us") + seconds.astype("timedelta64[s]")

    def after(base: np.ndarray, days: float) -> np.ndarray:
        return base + rng.exponential(days * 86400, len(base)).astype("timedelta64[s]")

    def some(values: np.ndarray, share: float) -> pd.Series:
        return pd.Series(values).where(pd.Series(rng.random(len(values)) < share))

    accounts = np.concatenate([creators, viewers])
    world: Frames = {}
    born = np.datetime64(START, "us") - rng.integers(1, 400, len(accounts)).astype("timedelta64[D]")
    world["accounts"] = pd.DataFrame(
        {
            "account_id": accounts,
            "account_kind": np.where(np.isin(accounts, creators), "creator", "viewer"),
            "occurred_at": born,
            "ingested_at": born,
        }
    )
    world["creator_status"] = pd.DataFrame(
        {
            "creator_id": rng.choice(creators, 90),
            "tier": rng.choice(["new", "bronze", "silver"], 90),
            "region": "ID",
            "language": "id",
            "status": "active",
            **at(anywhen(90)),
        }
    ).drop_duplicates(["creator_id", "occurred_at"])
    world["account_events"] = pd.DataFrame(
        {
            "account_event_id": [f"ae{number}" for number in range(200)],
            "account_id": rng.choice(accounts, 200),
            "event_type": "log_in",
            "device_hash": rng.choice([f"d{number}" for number in range(70)], 200),
            **at(anywhen(200)),
        }
    )
    count = 900
    posted = at(anywhen(count))
    world["content"] = pd.DataFrame(
        {
            "content_id": [f"i{number:04d}" for number in range(count)],
            "creator_id": creators[np.minimum(rng.geometric(0.08, count), len(creators)) - 1],
            "content_kind": "video",
            "caption_hash": some(rng.choice([f"cap{number}" for number in range(400)], count), 0.8),
            "audio_hash": rng.choice([f"aud{number}" for number in range(100)], count),
            "link_hash": some(np.full(count, "link"), 0.3),
            "product_id": some(np.full(count, "product"), 0.3),
            "is_aigc_declared": rng.random(count) < 0.2,
            **posted,
        }
    )
    content = world["content"]
    seen = content.sample(6000, replace=True, random_state=seed)
    world["engagement"] = pd.DataFrame(
        {
            "engagement_id": [f"e{number}" for number in range(len(seen))],
            "viewer_id": rng.choice(viewers, len(seen)),
            "content_id": seen["content_id"].to_numpy(),
            "event_type": rng.choice(["impression", "view", "like", "comment", "share", "not_interested"], len(seen)),
            "surface": "feed",
            "watch_ms": rng.integers(0, 9000, len(seen)),
            "is_ad": rng.random(len(seen)) < 0.1,
            "is_owner": False,
            **at(after(seen["occurred_at"].to_numpy(), 3)),
        }
    )
    world["follows"] = pd.DataFrame(
        {
            "follower_id": rng.choice(viewers, 500),
            "creator_id": rng.choice(creators, 500),
            "action": rng.choice(["follow", "unfollow"], 500),
            **at(anywhen(500)),
        }
    ).drop_duplicates(["follower_id", "creator_id", "occurred_at"])
    reported = content.sample(150, replace=True, random_state=seed + 1)
    world["user_reports"] = pd.DataFrame(
        {
            "user_report_id": [f"r{number}" for number in range(150)],
            "reporter_id": rng.choice(viewers, 150),
            "target_type": "content",
            "target_id": reported["content_id"].to_numpy(),
            "reason": "spam",
            **at(after(reported["occurred_at"].to_numpy(), 4)),
        }
    )
    bad = content.sample(200, random_state=seed + 2)
    world["violations"] = pd.DataFrame(
        {
            "violation_id": [f"w{number}" for number in range(200)],
            "creator_id": bad["creator_id"].to_numpy(),
            "content_id": bad["content_id"].to_numpy(),
            "policy_id": "spam",
            "policy_version": 1,
            "detected_by": "rule",
            **at(after(bad["ingested_at"].to_numpy(), 1)),
        }
    )
    hit = world["violations"]
    world["enforcements"] = pd.DataFrame(
        {
            "enforcement_id": [f"n{number}" for number in range(200)],
            "violation_id": hit["violation_id"],
            "creator_id": hit["creator_id"],
            "content_id": hit["content_id"],
            "action": "remove",
            "scope": "content",
            "decision_source": "rule",
            "decision_id": "rule",
            "restored_at": some(after(hit["ingested_at"].to_numpy(), 6), 0.15),
            "occurred_at": hit["occurred_at"],
            "ingested_at": hit["ingested_at"],
        }
    )
    asked = world["enforcements"].sample(90, random_state=seed + 3)
    made = at(after(asked["ingested_at"].to_numpy(), 5))
    world["appeals"] = pd.DataFrame(
        {
            "appeal_id": [f"p{number}" for number in range(90)],
            "enforcement_id": asked["enforcement_id"].to_numpy(),
            "outcome": rng.choice(["upheld", "overturned", "partial", "withdrawn"], 90),
            "decided_at": after(made["ingested_at"], 5),
            **made,
        }
    )
    return world


def write_known(world: Frames, folder: Path, known_at: datetime) -> Path:
    """Write what of `world` was known at `known_at`, as the source would have delivered it then."""
    contract = read_contract()
    for table in contract.tables.values():
        rows = world.get(table.name, pd.DataFrame())
        if len(rows):
            rows = rows[rows["ingested_at"] <= known_at].copy()
        if table.name in LATER_MOMENTS and len(rows):
            moment, until_then = LATER_MOMENTS[table.name]
            is_later = rows[moment] > known_at
            rows.loc[is_later, moment] = pd.NaT
            for column, value in until_then.items():
                rows.loc[is_later, column] = value
        write_table(folder, table, pa.Table.from_pandas(rows, preserve_index=False))
    RawSet(f"random-{known_at:%Y%m%d}", "random", known_at).write(folder)
    return folder


def build(project: Path, raw: Path, target: Path, select: str) -> Path:
    """Run dbt on the raw set in `raw`, without its tests; return the working file."""
    database = target / "gnomon.duckdb"
    # A process of its own: dbt-duckdb leaves an event loop open, and warnings are errors here.
    command = [str(Path(sys.executable).with_name("dbt")), "build", "--select", *select.split()]
    command += ["--resource-type", "model", "seed", "--quiet"]
    command += ["--project-dir", str(project), "--profiles-dir", str(project)]
    places = {"GNOMON_RAW": raw, "GNOMON_DATABASE": database, "DBT_TARGET_PATH": target, "DBT_LOG_PATH": target}
    environment = {**os.environ, **{name: str(path) for name, path in places.items()}}
    result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert result.returncode == 0, result.stdout + result.stderr
    return database


def read_rows(database: Path, model: str, keys: list[str]) -> pd.DataFrame:
    """All rows of a model, in the order of its keys."""
    with duckdb.connect(str(database), read_only=True) as connection:
        return connection.table(model).df().sort_values(keys, ignore_index=True)


@pytest.fixture(scope="module")
def world() -> Frames:
    return draw_world(11)


@pytest.fixture(scope="module")
def whole(project: Path, world: Frames, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("whole")
    raw = write_known(world, folder / "raw", END)
    return build(project, raw, folder / "target", "+score_creator__anomaly +score_creator__risk")


@pytest.fixture(scope="module")
def earlier(project: Path, world: Frames, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("earlier")
    raw = write_known(world, folder / "raw", EARLIER)
    return build(project, raw, folder / "target", "+feat_creator__daily")


def test_features_of_the_past_do_not_change_when_later_rows_arrive(whole: Path, earlier: Path) -> None:
    keys = ["as_of_at", "creator_id"]
    now = read_rows(whole, "feat_creator__daily", keys)
    then = read_rows(earlier, "feat_creator__daily", keys)
    assert then["as_of_at"].max() == pd.Timestamp(EARLIER).normalize()
    assert len(then) > 500
    numbers = then.select_dtypes("number")
    assert (numbers.fillna(0) != 0).any().all(), "a feature is 0 in every row, so this test would not see it change"
    pd.testing.assert_frame_equal(now[now["as_of_at"] <= EARLIER].reset_index(drop=True), then)


def test_violations_stood_upheld_then_exactly_as_the_later_build_says(whole: Path, earlier: Path) -> None:
    """The later build's moments, read "as known at EARLIER", give the earlier build's rows."""
    now = read_rows(whole, "int_violations__dated", ["violation_id"])
    then = read_rows(earlier, "int_violations__dated", ["violation_id"])
    seen = now[now["known_at"] <= EARLIER].reset_index(drop=True)
    for moment in ("upheld_at", "reversed_at"):
        seen[moment] = seen[moment].where(seen[moment] <= EARLIER)
    assert then["upheld_at"].notna().any()
    assert then["reversed_at"].notna().any()
    pd.testing.assert_frame_equal(seen, then)


def test_score_tables_have_the_types_that_the_package_promises(whole: Path) -> None:
    words = {"str": "VARCHAR", "float64": "DOUBLE", "int64": "BIGINT", "datetime64[us]": "TIMESTAMP"}
    tables = {
        "score_creator__risk": risk.SCORE_TYPES,
        "score_creator__risk_runs": risk.RUN_TYPES,
        "score_creator__anomaly": anomaly.SCORE_TYPES,
    }
    with duckdb.connect(str(whole), read_only=True) as connection:
        for model, promised in tables.items():
            table = connection.table(model)
            found = dict(zip(table.columns, map(str, table.types), strict=True))
            assert found == {name: words[kind] for name, kind in promised.items()}, model


def test_a_reader_finds_in_the_warehouse_why_there_is_no_risk_score(whole: Path) -> None:
    runs = read_rows(whole, "score_creator__risk_runs", ["trained_at"])
    assert read_rows(whole, "score_creator__risk", ["as_of_at"]).empty
    assert set(runs["status"]) == {"skipped"}
    assert runs["reason"].iloc[0] == "no row has a final label yet: it takes 35 days"
