"""Decisions from outside are read with care, and change what they are about and little else."""

from __future__ import annotations

import json
from itertools import groupby
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from gnomon.core.errors import QueryError
from gnomon.simulate import enforcement
from gnomon.simulate.decisions import Decisions, check_decisions, read_decisions
from gnomon.simulate.effects import start_effects
from gnomon.simulate.scale import Scale
from gnomon.simulate.spells import BAN, DELAY_PAYOUT, REMOVE, SUSPEND, WARN
from gnomon.simulate.world import DAY, HOUR, NEVER, NONE, make_world
from tests.small_world import START, Play


def decide(play: Play, action: int, creator: int = -1, item: int = -1) -> Decisions:
    one = {"creator": np.array([creator]), "item": np.array([item]), "action": np.array([action])}
    return Decisions(**one, decided_at=np.array([NONE]), decision_id=["rule-7/v2"])


def test_a_decision_from_outside_changes_its_target_and_little_else() -> None:
    """Creator 20 is honest: suspended on day 10, it uploads nothing until that ends; others are judged as before."""
    plain, other = Play().live(10), Play().live(10)
    plain.live(1)
    other.live(1, decisions=decide(other, SUSPEND, creator=20))
    plain.live(20)
    other.live(20)

    def tell(play: Play) -> set[tuple[int, ...]]:
        found = play.state.violations
        rows = np.flatnonzero((found["item"] >= 0) & (found["creator"] != 20) & (found["detected_by"] == 0))
        names = ("creator", "policy", "decided_at", "detected_by")
        return set(zip(*(found[name][rows].tolist() for name in names), strict=True))

    assert len(tell(plain)) > 30
    # The luck of the others does not hang on what was decided about this one.
    assert tell(plain) == tell(other)
    posts = [int((play.state.items["creator"] == 20).sum()) for play in (plain, other)]
    since, until = (int(other.state.creators[f"suspended_{name}"][20]) for name in ("at", "until"))
    assert DAY < until - since <= 7 * DAY
    assert abs(posts[0] - posts[1] - (until - since) / DAY) <= 1
    rows = [row for row in other.read("enforcements").to_pylist() if row["decision_id"] == "rule-7/v2"]
    assert {(row["action"], row["creator_id"], row["decision_source"]) for row in rows} == {
        ("suspend", "a000000021", "strategy")
    }
    assert rows[0]["occurred_at"].hour == 0
    wrong = other.state.actions["scenario"] == -2
    assert other.state.actions["is_right"][wrong].tolist() == [False]
    told = other.read("creator_status").sort_by("occurred_at").to_pylist()
    standing = [row["status"] for row in told if row["creator_id"] == "a000000021"]
    assert [name for name, _ in groupby(standing)][:3] == ["active", "suspended", "active"]


def test_a_decision_about_a_creator_who_has_turned_bad_is_right() -> None:
    play = Play().live(2).live(1, decisions=None)
    play.live(1, decisions=decide(play, WARN, creator=3))
    outside = play.state.actions["scenario"] == -2
    assert play.state.actions["is_right"][outside].tolist() == [True]


def test_a_delayed_payout_is_recorded_and_takes_no_reach() -> None:
    play = Play(bad_share=0.0).live(2)
    play.live(1, decisions=decide(play, DELAY_PAYOUT, creator=30))
    rows = [row for row in play.read("enforcements").to_pylist() if row["action"] == "delay_payout"]
    assert {row["scope"] for row in rows} == {"account"}
    items = np.flatnonzero(play.state.items["creator"] == 30)
    moments = np.full(len(items), play.day.begins_at)
    assert not enforcement.hides(play.state, items, moments).any()
    assert (enforcement.slows(play.state, items, moments) == 1.0).all()


def test_what_is_done_already_is_not_done_again() -> None:
    play = Play(bad_share=0.0).live(2)
    play.live(3, decisions=decide(play, REMOVE, item=4))
    outside = play.state.actions["scenario"] == -2
    assert play.state.actions["item"][outside].tolist() == [4]


CSV = """target_type,target_id,action,decision_id,at
account,a000000005,suspend,s1/1,
content,c000000002,remove,s1/2,2026-03-02 10:30:00
account,a000000007,ban,s1/3,2026-03-02T12:00:00+07:00
"""


def test_decisions_are_read_alike_from_every_kind_of_file(tmp_path: Path) -> None:
    (tmp_path / "d.csv").write_text(CSV)
    lines = [line.split(",") for line in CSV.strip().splitlines()]
    rows = [dict(zip(lines[0], [value or None for value in line], strict=True)) for line in lines[1:]]
    pq.write_table(pa.Table.from_pylist(rows), tmp_path / "d.parquet")
    (tmp_path / "d.jsonl").write_text("\n".join(json.dumps(row) for row in rows))
    start = make_world(1, Scale(7, 10, 1, 1, 0, 0, 10), START).start
    for name in ("d.csv", "d.jsonl", "d.parquet"):
        read = read_decisions(tmp_path / name)
        assert read.creator.tolist() == [4, -1, 6]
        assert read.item.tolist() == [-1, 1, -1]
        assert read.action.tolist() == [SUSPEND, REMOVE, BAN]
        assert read.decision_id == ["s1/1", "s1/2", "s1/3"]
        assert read.decided_at.tolist() == [-1, start + 10 * HOUR + 1800, start + 5 * HOUR]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("account,a000000005,bann,x,", "d.csv:2: unknown action 'bann'. Did you mean 'ban' or 'warn'?"),
        ("acount,a000000005,ban,x,", "d.csv:2: unknown target_type 'acount'. Did you mean 'account' or 'content'?"),
        (
            "account,c000000005,ban,x,",
            "d.csv:2: target_id 'c000000005' is no id of account: one looks like 'a000000001'.",
        ),
        ("account,a000000005,remove,x,", "d.csv:2: action 'remove' is for content"),
        ("content,c000000005,ban,x,", "d.csv:2: action 'ban' is for accounts"),
        ("account,a000000005,ban,,", "d.csv:2: decision_id is missing."),
        ("account,a000000005,ban,x,noon", "d.csv:2: at 'noon' is no moment: one looks like '2026-03-02 10:30:00'."),
        ("account,a000000005,ban", "d.csv:2: 3 values for 5 columns."),
    ],
)
def test_a_decision_that_makes_no_sense_is_refused_with_its_line(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "d.csv"
    path.write_text(f"{CSV.splitlines()[0]}\n{text}\n")
    with pytest.raises(QueryError) as error:
        read_decisions(path)
    assert said in str(error.value)


JSON_ROW = '{"target_type": "account", "target_id": "a000000005", "action": "ban", "decision_id": %s}\n'


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (JSON_ROW % "false", "d.jsonl:1: decision_id is no text."),
        (JSON_ROW % '["x"]', "d.jsonl:1: decision_id is no text."),
        (JSON_ROW % '"\\ud800"', "d.jsonl:1: decision_id is no text."),
        (JSON_ROW % '"x", "at": "9999-12-31T23:59:59-14:00"', "is in UTC before the year 1 or after 9999."),
        (JSON_ROW % '"x", "at": "0001-01-01T00:00:00+14:00"', "is in UTC before the year 1 or after 9999."),
        ("[" * 100_000, "d.jsonl:1: not JSON: "),
        ("9" * 5_000, "d.jsonl:1: not JSON: "),
    ],
)
def test_a_line_of_json_that_no_file_of_rows_could_hold_is_refused_in_words(
    tmp_path: Path, text: str, said: str
) -> None:
    path = tmp_path / "d.jsonl"
    path.write_text(text)
    with pytest.raises(QueryError) as error:
        read_decisions(path)
    assert said in str(error.value)


@pytest.mark.parametrize("at", [pa.array([2**62], pa.timestamp("us")), pa.array([0], pa.timestamp("s", tz="No/Where"))])
def test_moments_of_parquet_that_no_calendar_has_are_refused_in_words(tmp_path: Path, at: pa.Array) -> None:
    row = {"target_type": ["account"], "target_id": ["a000000005"], "action": ["ban"], "decision_id": ["x"], "at": at}
    pq.write_table(pa.table(row), tmp_path / "d.parquet")
    with pytest.raises(QueryError, match=r"d\.parquet: a value cannot be read"):
        read_decisions(tmp_path / "d.parquet")


def test_all_that_is_wrong_with_a_file_is_told_at_once(tmp_path: Path) -> None:
    path = tmp_path / "d.csv"
    path.write_text("target_type,target_id,action,decision_id\nx,y,z,1\nx,y,z,2\n")
    with pytest.raises(QueryError) as error:
        read_decisions(path)
    assert len(str(error.value).splitlines()) == 4
    path.write_text("target_type,target,action,decision_id\n")
    with pytest.raises(QueryError, match=r"unknown column 'target'\. Did you mean 'target_id'"):
        read_decisions(path)
    with pytest.raises(QueryError, match=r"unknown kind of file '\.txt'"):
        read_decisions(tmp_path / "d.txt")
    with pytest.raises(QueryError, match="no such file of decisions"):
        read_decisions(tmp_path / "e.csv")


def test_a_decision_about_nobody_or_another_day_is_refused_before_anything_changes() -> None:
    play = Play()
    for decisions, said in (
        (decide(play, BAN, creator=10**6), r"unknown account 'a001000001'. Known: a000000001 to a000000260"),
        (decide(play, REMOVE, item=5), r"unknown content 'c000000006'. There is none yet"),
        (Decisions(*(np.array([n]) for n in (1, -1, BAN, 5)), ["x"]), "the day to come is 2026-03-02"),
    ):
        with pytest.raises(QueryError, match=said):
            enforcement.enforce(play.state, play.day, start_effects(play.creators), decisions)
    assert play.state.actions.count == 0
    assert (play.state.creators["banned_at"] == NEVER).all()
    first = check_decisions(play.state, play.day, decide(play, BAN, creator=3)).decided_at
    assert play.day.begins_at <= int(first[0]) < play.day.begins_at + HOUR
