"""The doctor: what it finds in the history of builds, what it leaves alone, and what it says it cannot judge."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from gnomon.ingest.expectations import HistoryRule
from gnomon.operations.bands import draw_band
from gnomon.operations.doctor import Diagnosis, diagnose
from gnomon.operations.journal import Entry
from gnomon.warehouse import Build, BuildHistory, NodeRun, RowBudget

RULE = HistoryRule(weeks=8, minimum=4, width=5, settled_after_days=1)
START = datetime(2026, 3, 2, 6)
DAY = timedelta(days=1)
# The raw table, a table made from it, two others, and a test.
RAW, TABLE, OTHER, THIRD = ("model.p.stg", "model.p.fct", "model.p.dim", "model.p.feat")
ENGAGEMENT = "model.gnomon.stg_raw__engagement"
TEST = "test.p.unique_fct"
WOBBLE = (1.0, 1.1, 0.9, 1.05, 0.95, 1.0, 1.1)


def build(number: int, **changes: object) -> Build:
    """The build of a day: each table takes about its usual seconds and grows by a hundredth a day."""
    wobble = WOBBLE[number % len(WOBBLE)]
    growth = 1.01**number
    sizes = {RAW: (0.2, 1_000), TABLE: (2.0, 10_000), OTHER: (0.5, 500), THIRD: (0.3, 2_000), ENGAGEMENT: (0.1, 9_000)}
    nodes = {
        name: NodeRun(name, "success", seconds * (wobble if name == TABLE else 2 - wobble), int(rows * growth), 10**8)
        for name, (seconds, rows) in sizes.items()
    }
    nodes[TEST] = NodeRun(TEST, "pass", 0.01, None, 10**8)
    started = START + DAY * number
    made = Build(f"run-{number}", started, "set-1", started - timedelta(hours=6), True, True, nodes)
    return replace(made, **changes)  # type: ignore[arg-type]


def change(made: Build, name: str, **changes: object) -> Build:
    nodes = dict(made.nodes)
    nodes[name] = replace(nodes[name], **changes)  # type: ignore[arg-type]
    return replace(made, nodes=nodes)


def examine(
    *last: Build, days: int = 6, journal: Sequence[Entry] = (), budget: RowBudget | None = None, age: timedelta = DAY
) -> Diagnosis:
    builds = (*map(build, range(days)), *last)
    project = dict.fromkeys((*build(0).nodes,)) | {TABLE: budget}
    history = BuildHistory(builds, project, {TABLE: (RAW,)})
    return diagnose(history, journal, RULE, builds[-1].started_at + age)


def rules(diagnosis: Diagnosis) -> list[tuple[str, str]]:
    return [(problem.rule, problem.node) for problem in diagnosis.problems]


def entry(quarantined: int) -> Entry:
    return Entry("2026-03-02 06:00:00", "built", "set-1", "f", 10_000, quarantined, "run", 60.0)


def test_a_build_like_those_before_it_is_good() -> None:
    diagnosis = examine(build(6))
    assert (rules(diagnosis), diagnosis.exit_code) == ([], 0)


def test_with_three_builds_before_nothing_is_judged_by_history_and_it_is_said() -> None:
    slow = change(build(3), TABLE, seconds=60.0, row_count=1)
    diagnosis = examine(slow, days=3)
    assert rules(diagnosis) == []
    assert "it needs 4 whole builds that passed before this one, and there are 3" in diagnosis.notes[0]


def test_a_node_much_slower_than_its_own_history_is_found_with_its_numbers() -> None:
    diagnosis = examine(change(build(6), TABLE, seconds=20.0))
    (problem,) = diagnosis.problems
    assert (problem.rule, problem.node) == ("slow", TABLE)
    assert problem.text.startswith("fct took 20.00 s; 1.80 s is usual at the pace of this build")
    assert diagnosis.exit_code == 1


def test_a_slow_machine_is_one_problem_and_not_one_for_each_node() -> None:
    usual = build(6)
    slow = replace(
        usual, nodes={name: replace(node, seconds=4 * (node.seconds or 0)) for name, node in usual.nodes.items()}
    )
    assert rules(examine(slow)) == [("slow_build", "")]


def test_a_node_that_loses_less_than_a_typical_node_takes_is_left_alone() -> None:
    # From 0.01 s to 0.1 s is ten times, and nobody waits for it; a typical node takes 0.2 s.
    assert rules(examine(change(build(6), TEST, seconds=0.1))) == []


@pytest.mark.parametrize(("rows", "rule"), [(2_000, "rows_fell"), (0, "rows_fell"), (60_000, "rows_jumped")])
def test_rows_that_fell_or_jumped_are_found(rows: int, rule: str) -> None:
    assert (rule, TABLE) in rules(examine(change(build(6), TABLE, row_count=rows)))


def test_a_node_whose_seconds_stay_while_its_rows_vanish_is_skewed() -> None:
    thin = change(change(build(6), TABLE, row_count=100, seconds=2.2), RAW, row_count=10)
    assert ("skew", TABLE) in rules(examine(thin))


def test_a_table_over_its_budget_is_found_without_history() -> None:
    # 10,000 rows of 9,000 engagement rows: within 1.2 for each, over 1 for each.
    assert rules(examine(build(0), days=0, budget=RowBudget(1.2, ("engagement",)))) == []
    (problem,) = examine(build(0), days=0, budget=RowBudget(1.0, ("engagement",))).problems
    assert "fct has 10,000 rows; its budget is 9,000, 1 for each of 9,000 rows of engagement" in problem.text


def test_a_test_that_never_ran_is_found() -> None:
    first = build(0)
    without = replace(first, nodes={name: node for name, node in first.nodes.items() if name != TEST})
    assert rules(examine(without, days=0)) == [("never_ran", "")]
    assert rules(examine(change(first, TEST, status="skipped"), days=0)) == [("never_ran", "")]
    assert rules(examine(without, days=1)) == []


def test_a_build_of_a_part_or_with_failures_is_found() -> None:
    assert rules(examine(build(6, is_whole=False))) == [("not_whole", "")]
    diagnosis = examine(change(build(6, is_passed=False), TEST, status="fail"))
    assert rules(diagnosis) == [("not_passed", "")]
    assert "unique_fct" in diagnosis.problems[0].text


def test_a_build_that_failed_is_no_baseline() -> None:
    failed = [change(build(number, is_passed=False), TABLE, seconds=50.0) for number in range(6, 12)]
    assert ("slow", TABLE) in rules(examine(*failed, change(build(12), TABLE, seconds=50.0)))


def test_memory_of_the_build_is_judged_at_its_peak() -> None:
    assert rules(examine(change(build(6), OTHER, peak_memory_bytes=9 * 10**8))) == [("memory", OTHER)]
    diagnosis = examine(replace(build(6), nodes={n: replace(v, peak_memory_bytes=None)
                                                 for n, v in build(6).nodes.items()}))  # fmt: skip
    assert "Memory was not measured" in diagnosis.notes[-1]


def test_an_overdue_build_and_data_that_lie_behind_are_found() -> None:
    assert rules(examine(build(6), age=3 * DAY)) == [("overdue", "")]
    assert rules(examine(build(6, as_of=build(6).started_at - 4 * DAY))) == [("stale", "")]


def test_a_rising_share_in_quarantine_is_found() -> None:
    usual = [entry(count) for count in (10, 12, 9, 11, 10)]
    assert rules(examine(build(6), journal=[*usual, entry(13)])) == []
    assert rules(examine(build(6), journal=[*usual, entry(90)])) == [("quarantine", "")]
    assert "share in quarantine" in examine(build(6), journal=usual[:4]).notes[0]


def test_a_band_is_as_wide_as_history_moved_and_never_narrower_than_its_least_spread() -> None:
    steady = draw_band([2.0, 2.0, 2.0], 0.1, 5)
    assert (steady.low, steady.centre, steady.high) == pytest.approx((2 * 0.60653, 2.0, 2 * 1.64872), rel=1e-4)
    # Halves and doubles around 1: the deviation of the logarithms is log 2, times 1.4826.
    wide = draw_band([0.5, 1.0, 2.0], 0.1, 1)
    assert wide.high == pytest.approx(2**1.4826, rel=1e-6)
