"""Abuse in a simulated world is behaviour: nothing about how rows are written gives it away.

Shapes are compared with KuaiRand-Pure (Gao et al., CIKM 2022), measured on its video table of April 2022:
the Gini coefficient of plays is 0.72 by video and 0.72 by author, of impressions per viewer 0.45.
"""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from sklearn.ensemble import RandomForestClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold, cross_val_predict

from gnomon.simulate import choose_scale, simulate
from tests.worlds import Made, open_world

SEEDS = range(10)
DAYS = 60
START = date(2026, 3, 2)
# Per table: what tells abuse there, and the columns that may be empty.
LABELS = {
    "accounts": "select account_id, (is_fake or operator_id is not null) as is_abuse from truth_accounts",
    "content": "select content_id, is_violating as is_abuse from truth_content",
}
NULLABLE = {"accounts": [], "content": ["link_hash", "product_id", "duration_ms", "caption_hash", "audio_hash"]}


@pytest.fixture(scope="module")
def worlds(tmp_path_factory: pytest.TempPathFactory) -> list[Made]:
    scale = choose_scale("tiny", {"days": DAYS, "creators": 150})
    made = []
    for seed in SEEDS:
        folder = tmp_path_factory.mktemp("audit") / "raw"
        simulate(folder, seed=seed, scale=scale, start=START)
        made.append(open_world(folder, DAYS, START))
    return made


def describe_writing(world: Made, table: str) -> pd.DataFrame:
    """Return what says how a row was written and nothing of what it says, with the label."""
    key = "account_id" if table == "accounts" else "content_id"
    nulls = "".join(f", ({column} is null)::int as {column}_is_null" for column in NULLABLE[table])
    sql = f"""
        with written as (
            select *, substr({key}, 2)::int as number, row_number() over () as place from raw_{table}
        )
        select
            number % 10 as last_digit, number % 7 as remainder,
            percent_rank() over (partition by occurred_at::date order by number) as rank_in_day,
            percent_rank() over (partition by ingested_at order by place) as rank_in_batch,
            second(occurred_at) as s, second(occurred_at) % 10 as s10, minute(occurred_at) % 10 as m10,
            minute(ingested_at) as im, epoch(ingested_at - occurred_at) % 60 as lag {nulls},
            is_abuse::int as is_abuse
        from written inner join ({LABELS[table]}) using ({key})
        where occurred_at >= timestamp '{START}'
    """
    return world.database.execute(sql).df()


@pytest.mark.parametrize("table", list(LABELS))
def test_ids_order_nulls_and_digits_do_not_tell_abuse(worlds: list[Made], table: str) -> None:
    """A forest on artefacts alone, cross-validated in each of ten worlds: no better than chance."""
    scores, weights = [], []
    for seed, world in enumerate(worlds):
        rows = describe_writing(world, table)
        label = rows.pop("is_abuse").to_numpy()
        assert label.sum() >= 20, f"seed {seed}: too few cases to judge"
        folds = StratifiedKFold(5, shuffle=True, random_state=seed)
        forest = RandomForestClassifier(60, min_samples_leaf=20, random_state=seed)
        told = cross_val_predict(forest, rows, label, cv=folds, method="predict_proba")[:, 1]
        scores.append(roc_auc_score(label, told))
        weights.append(label.sum())
    assert np.average(scores, weights=weights) <= 0.55, scores


def measure_gini(counts: np.ndarray) -> float:
    values = np.sort(counts.astype(float))
    ranks = np.arange(1, len(values) + 1)
    return float(2 * (ranks * values).sum() / (len(values) * values.sum()) - (len(values) + 1) / len(values))


def test_views_are_spread_as_unevenly_as_on_a_real_platform(worlds: list[Made]) -> None:
    sql = """
        select count(engagement_id) as n
        from content left join engagement on content.content_id = engagement.content_id and event_type = 'view'
        where content.occurred_at < timestamp '2026-04-15'
        group by content.{by}
    """
    for by, tolerance in (("content_id", 0.1), ("creator_id", 0.08)):
        found = [measure_gini(world.database.execute(sql.format(by=by)).df()["n"].to_numpy()) for world in worlds]
        assert np.median(found) == pytest.approx(0.72, abs=tolerance), by


def test_the_weekend_is_busier_than_the_middle_of_the_week(worlds: list[Made]) -> None:
    sql = """
        with days as (
            select isodow(occurred_at) as weekday, count(*) as n from engagement
            where event_type = 'impression' and occurred_at >= timestamp '2026-03-16'
            group by occurred_at::date, weekday
        )
        select avg(n) filter (weekday in (6, 7)) / avg(n) filter (weekday in (2, 3)) from days
    """
    assert 1.05 < np.median([world.count(sql) for world in worlds]) < 1.35


def test_abuse_is_rare_in_what_is_seen(worlds: list[Made]) -> None:
    """The share of views on violating items: platforms publish from below 0.1 % to about 2 %."""
    sql = """
        select avg(is_violating::int) from engagement inner join truth_content using (content_id)
        where event_type = 'view' and not is_owner and not is_ad
    """
    assert 0.002 <= np.median([world.count(sql) for world in worlds]) <= 0.02


def test_logs_come_in_late_as_logs_do(worlds: list[Made]) -> None:
    """Half within ten minutes or so, about one in a hundred days later, some twice."""
    half, late = np.median(
        [
            world.ask(
                "select median(epoch(ingested_at - occurred_at)), "
                "avg((ingested_at - occurred_at > interval 1 day)::int) "
                "from engagement where occurred_at < ?",
                world.end.replace(day=1),
            )[0]
            for world in worlds
        ],
        axis=0,
    )
    assert 60 < half < 1200
    assert 0.005 < late < 0.02
    twice = [world.count("select (select count(*) from raw_engagement) - count(*) from engagement") for world in worlds]
    assert all(count > 0 for count in twice)
