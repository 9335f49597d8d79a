"""A world goes on from where it stopped, under decisions, beside a twin without them."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from gnomon.core.errors import QueryError, WarehouseError
from gnomon.core.lock import hold_lock
from gnomon.core.raw_set import RawSet
from gnomon.simulate import Scale, choose_scale, simulate, step
from gnomon.simulate import stepping as stepping_module
from gnomon.simulate.writing import PartWriter
from tests.worlds import CONTRACT, Made, open_world, read_rows

START = date(2026, 3, 2)
SCALE: Scale = choose_scale("tiny", {"days": 21, "creators": 60, "impressions_per_creator": 20})


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A world of three weeks that can be stepped on; every test steps a copy."""
    folder = tmp_path_factory.mktemp("kept") / "raw"
    simulate(folder, seed=8, scale=SCALE, start=START, keep_state=True)
    return folder


@pytest.fixture
def world(kept: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(kept, tmp_path / "raw"))


def find_busiest(world: Path) -> str:
    """Return the creator whose items were viewed most in the last week."""
    made = open_world(world, SCALE.days, START)
    return str(
        made.ask(
            "select creator_id from engagement inner join content using (content_id) where event_type = 'view' "
            "and engagement.occurred_at >= timestamp '2026-03-16' "
            "group by creator_id order by count(*) desc, creator_id limit 1"
        )[0][0]
    )


def decide(path: Path, creator: str, action: str = "suspend") -> Path:
    path.write_text(f"target_type,target_id,action,decision_id\naccount,{creator},{action},strategy-1\n")
    return path


def count_views(world: Path, since: str, whose: str | None = None) -> float:
    made: Made = open_world(world, SCALE.days, START)
    where = f"and creator_id = '{whose}'" if whose else ""
    return made.count(
        "select count(*) from engagement inner join content using (content_id) "
        f"where event_type = 'view' and engagement.occurred_at >= timestamp '{since}' {where}"
    )


def test_steps_without_decisions_are_what_a_longer_run_would_have_been(world: Path, tmp_path: Path) -> None:
    for _ in range(2):
        step(world, twin=False)
    for _ in range(2):
        step(world, twin=False)
    again = Path(tmp_path / "again")
    simulate(again, seed=8, scale=SCALE, start=START, keep_state=True)
    for _ in range(4):
        step(again, twin=False)
    assert read_rows(world) == read_rows(again)


def test_a_step_keeps_the_identity_and_moves_the_clock_by_a_day(world: Path) -> None:
    before = RawSet.read(world)
    done = step(world, twin=False)
    after = RawSet.read(world)
    assert done.day == "2026-03-23"
    assert after.raw_set_id == before.raw_set_id
    assert (after.newest_ingested_at - before.newest_ingested_at).days == 1
    assert sum(done.row_counts.values()) > 100
    assert open_world(world, 22, START).count("select count(*) from engagement where occurred_at >= '2026-03-23'") > 50


def test_a_twin_without_decisions_lives_the_same_day(world: Path) -> None:
    done = step(world)
    assert done.row_counts == done.twin_row_counts
    told = pq.read_table(world / "truth" / "counterfactual.parquet").to_pylist()
    assert told
    assert all(row["with_decisions"] == row["without_decisions"] for row in told)


def test_a_suspended_creator_uploads_nothing_and_views_move_to_others(world: Path, tmp_path: Path) -> None:
    creator = find_busiest(world)
    step(world, decisions=decide(tmp_path / "decisions.csv", creator, "ban"))
    for _ in range(3):
        step(world)
    twin = world / "truth" / "twin"
    since = "2026-03-23 02:00:00"
    for name in CONTRACT.tables:
        # The twin's folder holds its new days only.
        (twin / name).mkdir(exist_ok=True)
        for path in (world / name).glob("part-*.parquet"):
            shutil.copy(path, twin / name / path.name)
    for path in (world / "truth").glob("*.parquet"):
        shutil.copy(path, twin / "truth" / path.name)
    made = open_world(world, 25, START)
    ban = "select decision_source, action, creator_id, restored_at from enforcements where decision_id = 'strategy-1'"
    ((source, action, banned, restored),) = made.ask(ban)
    assert (source, action, banned) == ("strategy", "ban", creator)
    seen = """
        select count(*) from engagement inner join content using (content_id)
        where event_type = 'view' and creator_id = ? and engagement.occurred_at between ? and ?
    """
    assert made.count(seen, creator, since, restored or made.end) == 0
    posted = "select count(*) from content where creator_id = ? and occurred_at between ? and ?"
    assert made.count(posted, creator, since, restored or made.end) == 0
    assert count_views(twin, since, creator) > 5
    lost = count_views(twin, since, creator) - count_views(world, since, creator)
    others = [count_views(folder, since) - count_views(folder, since, creator) for folder in (world, twin)]
    # Most of what was lost went to others, and little else changed.
    assert 0.3 * lost < others[0] - others[1] < 1.2 * lost


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("target_type,target_id,action,decision_id\naccount,a000000001,bann,x\n", "Did you mean 'ban'"),
        ("target_type,target_id,action,decision_id\naccount,a999999999,ban,x\n", "unknown account 'a999999999'"),
        ("target_type,target,action,decision_id\naccount,a000000001,ban,x\n", "target"),
    ],
)
def test_a_bad_decision_is_refused_and_the_world_stays_as_it_was(
    world: Path, tmp_path: Path, text: str, said: str
) -> None:
    before, record = read_rows(world), (world / "raw_set.json").read_bytes()
    path = tmp_path / "decisions.csv"
    path.write_text(text)
    with pytest.raises(QueryError) as refusal:
        step(world, decisions=path)
    assert said in str(refusal.value)
    assert str(path) in str(refusal.value)
    assert read_rows(world) == before
    assert (world / "raw_set.json").read_bytes() == record


@contextmanager
def killed(
    monkeypatch: pytest.MonkeyPatch, call: int = 1, owner: object = stepping_module, name: str = "save_world"
) -> Iterator[None]:
    """End the block's step at a call of a function; of save_world: the twin as it begins, after its day, the world."""
    whole = getattr(owner, name)
    calls = []

    def work_or_break(*given: Any) -> None:
        calls.append(given)
        if len(calls) == call:
            raise OSError("killed")
        whole(*given)

    with monkeypatch.context() as patch:
        patch.setattr(owner, name, work_or_break)
        with pytest.raises(OSError, match="killed"):
            yield


def test_a_killed_step_is_done_again_with_the_same_rows(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Path(shutil.copytree(world, tmp_path / "other"))
    decisions = decide(tmp_path / "decisions.csv", find_busiest(world))
    with killed(monkeypatch):
        step(world, decisions=decisions)
    assert json.loads((world / "raw_set.json").read_text())["newest_ingested_at"].startswith("2026-03-23 00:00")
    for folder in (world, other):
        step(folder, decisions=decisions)
    assert read_rows(world) == read_rows(other)
    assert pq.read_table(world / "truth" / "counterfactual.parquet").equals(
        pq.read_table(other / "truth" / "counterfactual.parquet")
    )


@pytest.mark.parametrize("call", [1, 2, 3])
def test_a_first_step_that_was_killed_at_any_saving_is_done_again(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int
) -> None:
    other = Path(shutil.copytree(world, tmp_path / "other"))
    with killed(monkeypatch, call):
        step(world)
    assert step(world) == step(other)
    assert read_rows(world) == read_rows(other)


def test_a_step_that_was_killed_before_its_record_lives_the_same_day_again(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Path(shutil.copytree(world, tmp_path / "other"))
    decisions = decide(tmp_path / "decisions.csv", find_busiest(world))
    with killed(monkeypatch, owner=RawSet, name="write"):
        step(world, decisions=decisions)
    assert step(world, decisions=decisions).day == step(other, decisions=decisions).day == "2026-03-23"
    assert read_rows(world) == read_rows(other)


def test_a_killed_step_that_is_done_again_under_other_decisions_leaves_no_row_of_the_first(
    world: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = Path(shutil.copytree(world, tmp_path / "other"))
    with killed(monkeypatch, 3):
        step(world, decisions=decide(tmp_path / "decisions.csv", find_busiest(world)))
    # As if comments had filled files under the first decisions that they do not fill without them.
    (world / "comments" / "day-2026-03-23-0.parquet").rename(world / "comments" / "day-2026-03-23-7.parquet")
    for folder in (world, other):
        step(folder)
    assert read_rows(world) == read_rows(other)


def test_a_file_that_was_being_written_when_the_run_ended_has_no_name_that_models_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write_half(_: object, path: Path, **__: object) -> None:
        Path(path).write_bytes(b"PAR1")
        raise OSError("killed")

    writer = PartWriter(tmp_path)
    monkeypatch.setattr(pq, "write_table", write_half)
    with pytest.raises(OSError, match="killed"):
        writer.close()
    assert list(tmp_path.glob("*/*"))
    assert not list(tmp_path.glob("*/*.parquet"))


def test_two_steps_of_one_world_at_a_time_are_refused(world: Path) -> None:
    with hold_lock(world / "truth" / "lock", "step of this world"), pytest.raises(WarehouseError, match="another step"):
        step(world)


def test_a_world_without_its_state_cannot_be_stepped(tmp_path: Path) -> None:
    simulate(tmp_path / "raw", seed=5, scale=choose_scale("tiny", {"days": 7, "creators": 10}))
    with pytest.raises(WarehouseError, match="--keep-state"):
        step(tmp_path / "raw")
