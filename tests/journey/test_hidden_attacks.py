"""Hidden attacks in whole worlds: no column of the raw tables and no feature tells them from people."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from gnomon.simulate import choose_scale, simulate
from tests.journey.conftest import Built
from tests.worlds import Made, measure_auc, open_world

SEEDS = range(10)
STEALTH = 0.8
START, DAYS, BEGINS = date(2026, 3, 2), 54, 26
BEGINS_ON = START + timedelta(days=BEGINS)
SIZES = {
    "spam_burst": 0.04,
    "matrix_accounts": 0.03,
    "engagement_farm": 0.004,
    "registration_attack": 0.15,
    "aigc_flood": 0.04,
    "misleading_claims": 0.04,
}
FEWEST = 20  # cases, or a column is not judged

# Of an account, the mean of each feature since the attack began, beside its own columns.
ACCOUNTS = f"""
    with features as (
        select {{key}} as id, avg(columns(* exclude ({{left_out}}))) from built.main.{{table}}
        where as_of_at > timestamp '{BEGINS_ON}' group by all
    )
    select
        features.*, epoch(registered_at) as registered_at, hour(registered_at) as registration_hour,
        second(registered_at) as registration_second, (signup_channel = 'referral')::int as is_by_referral
    from features inner join accounts on id = account_id where account_kind = '{{kind}}'
"""
# Of an item at an age, each feature, beside its own columns.
ITEMS = f"""
    select
        features.* exclude (content_id, as_of_at, age_days), content.content_id as id, duration_ms,
        is_aigc_declared::int as is_declared, (content_kind = 'video')::int as is_video,
        (link_hash is not null)::int as has_link, (product_id is not null)::int as has_product,
        hour(occurred_at) as upload_hour, second(occurred_at) as upload_second,
        epoch(ingested_at - occurred_at) as delay, count(*) over (partition by media_hash) as same_media_count
    from content inner join built.main.feat_content__at_age as features using (content_id)
    where age_days = {{age}} and occurred_at >= timestamp '{BEGINS_ON}'
"""
CREATOR, ACCOUNT = ("feat_creator__daily", "creator_id"), ("feat_account__daily", "account_id")


@pytest.mark.nightly
def test_a_hidden_attack_is_told_by_no_column_and_no_feature_in_ten_worlds(tmp_path: Path) -> None:
    """The AUC of each column, a mean over ten worlds weighted by their cases, is at most 0.75."""
    told: defaultdict[tuple[str, str], list[tuple[float, int]]] = defaultdict(list)
    for seed in SEEDS:
        for case, area, count in judge(build(seed, tmp_path)):
            told[case].append((area, count))
    mean = {
        case: sum(area * count for area, count in found) / sum(count for _, count in found)
        for case, found in told.items()
    }
    assert {kind for kind, _ in mean} == set(SIZES)
    worst = sorted(mean.items(), key=lambda each: -each[1])
    print(f"\n{len(mean)} columns judged; the most telling: {worst[:8]}")
    assert [case for case, area in worst if area > 0.75] == []


def build(seed: int, folder: Path) -> Made:
    """Return a world in which every attack is played, with its features, built by dbt, attached."""
    raw, target = folder / f"raw-{seed}", folder / f"target-{seed}"
    simulate(
        raw,
        seed=seed,
        scale=choose_scale("small", {"days": DAYS, "creators": 2000}),
        start=START,
        scenarios=[write_attack(kind, size, folder) for kind, size in SIZES.items()],
    )
    chosen = ["+feat_creator__daily", "+feat_account__daily", "+feat_content__at_age"]
    left_out = ["resource_type:unit_test", "resource_type:test"]
    logs = ["--log-path", str(target / "logs")]
    run = Built(target, raw).run("dbt", "build", *logs, "--select", *chosen, "--exclude", *left_out)
    assert run.returncode == 0, run.stdout[-3000:]
    world = open_world(raw, DAYS, START)
    world.database.execute(f"attach '{target}/gnomon.duckdb' as built (read_only)")
    return world


def write_attack(kind: str, size: float, folder: Path) -> str:
    path = folder / f"{kind}_hidden.yml"
    path.write_text(
        f"name: {kind}_hidden\nkind: {kind}\nwhy: What a hidden attack shows of itself.\nbegins: {BEGINS}\n"
        f"days: null\nsize: {size}\nstealth: {STEALTH}\nadaptation: none\nno_twin: only the attack is judged here\n"
    )
    return str(path)


def judge(world: Made) -> Iterator[tuple[tuple[str, str], float, int]]:
    """Yield for each attack and column how well the column tells the cases from the rest, and how many they are."""
    members = world.database.execute("select * from truth_members where role in ('member', 'item')").df()
    kinds = members["scenario"].str.removesuffix("_hidden")
    for name, key, rows in describe(world):
        role = "item" if key == "content_id" else "member"
        hidden = members[key].where(members["role"] == role).dropna()
        for kind, cases in hidden.groupby(kinds):
            is_case = rows.index.isin(cases)
            kept = is_case | ~rows.index.isin(hidden)
            if kind == "registration_attack":
                # What is registered now is new: it is compared with people who registered since then.
                kept &= (rows["registered_at"] >= pd.Timestamp(BEGINS_ON).timestamp()).to_numpy()
            for column in rows.columns:
                values = rows[column].to_numpy(dtype=float)[kept]
                count = int((is_case[kept] & ~np.isnan(values)).sum())
                if count >= FEWEST:
                    yield (str(kind), f"{column} of {name}"), measure_auc(values, is_case[kept]), count


def describe(world: Made) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield a name, the key that the truth has, and a row of numbers per account or item."""
    for name, (table, key), kind in (
        ("a creator", CREATOR, "creator"),
        ("a creator's account", ACCOUNT, "creator"),
        ("a viewer", ACCOUNT, "viewer"),
    ):
        left_out = ", ".join([key, "as_of_at", *(["creator_tier"] if table == CREATOR[0] else [])])
        sql = ACCOUNTS.format(table=table, key=key, left_out=left_out, kind=kind)
        yield name, "account_id", world.database.execute(sql).df().set_index("id")
    for age in (1, 7):
        yield f"an item of {age} days", "content_id", world.database.execute(ITEMS.format(age=age)).df().set_index("id")
