"""Features and scores, built by dbt on a small random raw set, and again on what was known earlier."""

from __future__ import annotations

import json
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

# Beside feat_creator__daily: the key of each, and the fewest rows that make its proof worth something.
FEATURES = {
    "feat_content__at_age": (["content_id", "as_of_at"], 1000),
    "feat_account__daily": (["account_id", "as_of_at"], 1000),
    "feat_creator__hourly": (["creator_id", "as_of_at"], 20),
    "feat_fingerprint__hourly": (["fingerprint_kind", "fingerprint_hash", "as_of_at"], 20),
    "feat_signup_channel__hourly": (["region", "signup_channel", "as_of_at"], 20),
}

OTHERS = " ".join(f"+{name}" for name in FEATURES)

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
    return add_attacks(world, np.random.Generator(np.random.Philox(seed + 4)))


def add_attacks(world: Frames, rng: np.random.Generator) -> Frames:
    """Add what attacks leave behind: shared networks, copied comments, and bursts of posts and sign-ups."""
    viewers = world["accounts"].query("account_kind == 'viewer'")["account_id"].to_numpy()

    def late(base: np.ndarray) -> dict[str, np.ndarray]:
        hours = rng.exponential(0.2, len(base)) + (rng.random(len(base)) < 0.1) * rng.exponential(72, len(base))
        return {"occurred_at": base, "ingested_at": base + (hours * 3600).astype("timedelta64[s]")}

    def in_bursts(count: int) -> np.ndarray:
        """Moments in 40 bursts of an hour, spread over the days."""
        starts = np.datetime64(START, "us") + rng.integers(0, 74 * 86400, 40).astype("timedelta64[s]")
        return rng.choice(starts, count) + rng.integers(0, 3600, count).astype("timedelta64[s]")

    content, log_ins = world["content"], world["account_events"]
    content["aigc_detector_score"] = rng.random(len(content)).round(4)
    world["content"] = pd.concat([content, _copy_posts(content, rng, late(in_bursts(300)))], ignore_index=True)
    log_ins["network_hash"] = rng.choice([f"n{number}" for number in range(12)], len(log_ins))
    log_ins["payment_hash"] = pd.Series(rng.choice([f"p{number}" for number in range(40)], len(log_ins))).where(
        rng.random(len(log_ins)) < 0.3
    )
    kinds = rng.choice(["sign_up_attempt", "sign_up_attempt", "sign_up_attempt", "sign_up_blocked", "sign_up"], 800)
    sign_ups = pd.DataFrame(
        {
            "account_event_id": [f"s{number}" for number in range(800)],
            "account_id": pd.Series(rng.choice(viewers, 800)).where(kinds == "sign_up"),
            "event_type": kinds,
            "signup_channel": rng.choice(["ads", "organic"], 800),
            "device_hash": rng.choice([f"d{number}" for number in range(70)], 800),
            **late(in_bursts(800)),
        }
    )
    world["account_events"] = pd.concat([log_ins, sign_ups], ignore_index=True)
    said = content.sample(1500, replace=True, random_state=5)
    written = said["occurred_at"].to_numpy() + rng.exponential(3 * 86400, len(said)).astype("timedelta64[s]")
    world["comments"] = pd.DataFrame(
        {
            "comment_id": [f"o{number}" for number in range(1500)],
            "content_id": said["content_id"].to_numpy(),
            "account_id": rng.choice(viewers[:8], 1500),
            "text_hash": rng.choice([f"t{number}" for number in range(90)], 1500),
            **late(written),
        }
    )
    return world


def _copy_posts(content: pd.DataFrame, rng: np.random.Generator, moments: dict[str, np.ndarray]) -> pd.DataFrame:
    """Items of three creators that repeat a few captions, audios and links at `moments`."""
    count = len(moments["occurred_at"])
    return pd.DataFrame(
        {
            "content_id": [f"b{number:04d}" for number in range(count)],
            "creator_id": rng.choice(content["creator_id"].unique()[:3], count),
            "content_kind": "video",
            "caption_hash": rng.choice(["cap1", "cap2"], count),
            "audio_hash": "aud1",
            "link_hash": "link",
            "is_aigc_declared": False,
            "aigc_detector_score": 0.9,
            **moments,
        }
    )


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
    return build(project, raw, folder / "target", f"+score_creator__anomaly +score_creator__risk {OTHERS}")


@pytest.fixture(scope="module")
def earlier(project: Path, world: Frames, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("earlier")
    raw = write_known(world, folder / "raw", EARLIER)
    return build(project, raw, folder / "target", f"+feat_creator__daily {OTHERS}")


def test_features_of_the_past_do_not_change_when_later_rows_arrive(whole: Path, earlier: Path) -> None:
    keys = ["as_of_at", "creator_id"]
    now = read_rows(whole, "feat_creator__daily", keys)
    then = read_rows(earlier, "feat_creator__daily", keys)
    assert then["as_of_at"].max() == pd.Timestamp(EARLIER).normalize()
    assert len(then) > 500
    numbers = then.select_dtypes("number")
    assert (numbers.fillna(0) != 0).any().all(), "a feature is 0 in every row, so this test would not see it change"
    pd.testing.assert_frame_equal(now[now["as_of_at"] <= EARLIER].reset_index(drop=True), then)


@pytest.mark.parametrize("model", FEATURES)
def test_no_row_of_a_feature_changes_once_it_is_written(whole: Path, earlier: Path, model: str) -> None:
    keys, fewest = FEATURES[model]
    now = read_rows(whole, model, keys)
    then = read_rows(earlier, model, keys)
    assert EARLIER - timedelta(days=7) < then["as_of_at"].max() <= EARLIER
    assert len(then) >= fewest
    numbers = then.select_dtypes("number")
    assert (numbers.fillna(0) != 0).any().all(), "a feature is 0 in every row, so this test would not see it change"
    pd.testing.assert_frame_equal(now[now["as_of_at"] <= EARLIER].reset_index(drop=True), then)


@pytest.mark.parametrize("model", FEATURES)
def test_a_feature_keeps_the_row_budget_that_it_states(whole: Path, world: Frames, model: str) -> None:
    manifest = json.loads((whole.parent / "manifest.json").read_text(encoding="utf-8"))
    budget = manifest["nodes"][f"model.gnomon.{model}"]["config"]["meta"]["row_budget"]
    allowed = budget["rows"] * sum(len(world[table]) for table in budget["per"])
    assert 0 < len(read_rows(whole, model, FEATURES[model][0])) <= allowed


def test_other_accounts_on_a_network_are_those_of_a_count_of_sets(whole: Path, world: Frames) -> None:
    """Counted by day and fingerprint, they equal on some days the sets that they stand for."""
    features = read_rows(whole, "feat_account__daily", ["account_id", "as_of_at"])
    events = world["account_events"].dropna(subset=["account_id"])
    for row in features.iloc[::97].itertuples():
        window = (events["occurred_at"] > row.as_of_at - timedelta(days=28)) & (events["occurred_at"] <= row.as_of_at)
        seen = events[window & (events["ingested_at"] <= row.as_of_at)]
        own = seen[seen["account_id"] == row.account_id]
        for kind in ("device", "network", "payment"):
            hashes = own[f"{kind}_hash"].dropna().unique()
            others = [seen.loc[seen[f"{kind}_hash"] == value, "account_id"].nunique() - 1 for value in hashes]
            found = getattr(row, f"shared_{kind}_account_count_28d")
            assert (max(others) == found) if others else pd.isna(found)
        assert row.device_count_28d == own["device_hash"].nunique()
        assert row.network_count_28d == own["network_hash"].nunique()


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
