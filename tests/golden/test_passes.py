"""What goes into each pass and what comes out: tests/golden/PASS; GNOMON_REGENERATE=1 writes it anew."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from copy import deepcopy
from dataclasses import fields
from datetime import datetime
from pathlib import Path

import pytest

from gnomon.access import SmallestCell
from gnomon.planner import Compiled, Question
from gnomon.planner.draft import Draft
from gnomon.planner.plan import PASSES
from gnomon.semantic import read_manifest
from tests.golden.printing import show
from tests.manifests import cumulative, derived, write_manifest
from tests.soundness import conftest as small
from tests.soundness import test_intervals as sampled

SIZES = {"posts_daily": 5}
CELL = SmallestCell(3, ("creator",))
DAY, WEEK = {"count": 1, "granularity": "day"}, {"count": 7, "granularity": "day"}
METRICS = [
    *small.METRICS,
    cumulative("posts_7d", "posts", window=WEEK),
    cumulative("creators_7d", "posting_creators", window=WEEK),
    derived("rate_yesterday", "bad_rate", [{"name": "bad_rate", "offset_window": DAY}]),
]
VIDEO = "{{ Dimension('post__kind') }} = 'video'"
GOLD = "{{ Dimension('creator__tier') }} = 'gold'"
RANGE = {"start": datetime(2026, 1, 6), "end": datetime(2026, 1, 8)}
QUESTIONS: dict[str, dict[str, Question]] = {
    "resolve_names": {
        "a_time_without_a_grain": Question(("posts",), ("metric_time",), (VIDEO,), ("-metric_time",), 3),
        "a_range_is_widened": Question(("views",), ("metric_time__week",), **RANGE),
        "the_units_of_a_floor": Question(("guarded_views",), ("creator__tier",)),
    },
    "expand_metrics": {
        "a_filter_goes_down_to_its_leaf": Question(("gap",), ("creator__tier",), (VIDEO,), applies_floors=False),
        "a_floor_stands_around_its_formula": Question(("guarded_rate",)),
        "a_ratio_is_shifted_as_a_whole": Question(("rate_yesterday",), ("metric_time__day",)),
    },
    "count_units": {
        "a_count_and_what_a_filter_leaves_out": Question(
            ("bad_rate",), ("creator__tier",), (VIDEO,), applies_floors=False, smallest_cell=CELL
        ),
        "a_shifted_rate_and_a_total": Question(
            ("rate_yesterday", "posts__total"), ("metric_time__day",), applies_floors=False, smallest_cell=CELL
        ),
    },
    "place_leaves": {
        "an_attribute_one_join_away": Question(("posts",), ("creator__tier",), (GOLD,)),
        "the_period_before_moves_on": Question(
            ("bad_rate__previous",), ("metric_time__day", "metric_time__month"), applies_floors=False, **RANGE
        ),
        "the_last_day_of_each_week": Question(("violating_creators",), ("metric_time__week",)),
        "a_window_over_totals_by_day": Question(("posts_7d",), ("metric_time__day",)),
        "a_window_over_rows": Question(("creators_7d",), ("metric_time__day",)),
    },
    "share_blocks": {
        "two_measures_of_one_table": Question(("bad_rate",), ("post__kind",), applies_floors=False),
        "two_tables": Question(("posts", "violating_creators"), ("creator",), applies_floors=False),
    },
    "list_values": {
        "values_of_a_joined_table": Question((), ("creator__tier", "post__kind")),
        "weeks_of_the_spine": Question((), ("metric_time__week",), **RANGE),
    },
    "keep_top": {
        "the_others_are_one_group": Question(("posts",), ("creator",), top=1),
        "what_is_small_has_no_rank": Question(("posts",), ("creator__tier",), top=1, smallest_cell=CELL),
    },
    "restrict_rows": {
        "the_filter_is_judged_by_a_joined_row": Question(("posts",), ("creator__region",), row_filters=(GOLD,))
    },
    "replicate_ratios": {"sums_by_replicate_group": Question(("bad_rate",), ("review__region",))},
    "choose_rollups": {
        "a_rollup_and_a_join": Question(("posts",), ("creator__tier", "metric_time__month"), (VIDEO,)),
        "units_of_a_rollup": Question(("posts",), ("metric_time__month",), smallest_cell=CELL),
        "distinct_keys_of_a_rollup": Question(("posting_creators",), ("metric_time__month",)),
    },
    "count_latest": {
        "a_row_counts_until_the_next_of_its_key": Question(
            ("creators_7d",), ("metric_time__day", "post__kind"), (GOLD,)
        )
    },
    "absorb_scans": {
        "a_filter_stands_at_its_aggregate": Question(("views", "gold_views"), ("metric_time__week",)),
        "a_formula_asks_whether_rows_are_there": Question(("posts", "filled_rate"), ("creator",)),
    },
    "gather_days": {"weeks_are_made_of_days": Question(("posts",), ("metric_time__week",))},
    "write_sql": {
        "one_block": Question(("posts",), ("creator__tier",), order_by=("-posts",), limit=1),
        "counts_and_no_order": Question(
            ("posts",), ("creator__tier",), order_by=("-posts",), limit=1, smallest_cell=CELL
        ),
        "two_blocks_are_stitched": Question(("posts", "violating_creators"), ("creator",)),
    },
}
NAMES = [run.__name__ for run in PASSES]


@pytest.fixture(scope="module")
def small_world(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    models = deepcopy(small.MODELS)
    rollup = {"name": "posts_daily", "grain": "day", "dimensions": ["creator", "post__kind"]}
    models[0]["config"] = {"meta": {"rollups": [rollup]}}
    path = write_manifest(tmp_path_factory.mktemp("passes") / "m.json", models, METRICS)
    return Compiled(read_manifest(path), frozenset({('"small"."main"."posts"', "post_date")}))


@pytest.fixture(scope="module")
def sampled_world(tmp_path_factory: pytest.TempPathFactory) -> Compiled:
    path = write_manifest(tmp_path_factory.mktemp("passes") / "m.json", sampled.MODELS, sampled.METRICS)
    return Compiled(read_manifest(path))


@pytest.mark.parametrize(("name", "asked"), [(name, asked) for name in QUESTIONS for asked in QUESTIONS[name]])
def test_a_pass_is_as_read(
    name: str,
    asked: str,
    small_world: Compiled,
    sampled_world: Compiled,
    golden: Callable[[str, str], None],
) -> None:
    compiled = sampled_world if name == "replicate_ratios" else small_world
    sizes = SIZES if name == "choose_rollups" else {}
    golden(f"{name}/{asked}.txt", trace(compiled, Draft(QUESTIONS[name][asked], sizes), name))


def trace(compiled: Compiled, draft: Draft, name: str) -> str:
    """Return the parts of the draft that the pass changes, before and after; of new ones, what they are made of."""
    newest = ["question"]
    for run in PASSES:
        before, draft = draft, run(compiled, draft)
        changed = [each.name for each in fields(Draft) if getattr(before, each.name) != getattr(draft, each.name)]
        if run.__name__ == name:
            assert changed, "the pass leaves the draft as it is, so the question says nothing of it"
            empty = Draft()
            taken = [each for each in changed if getattr(before, each) != getattr(empty, each)] or newest
            asked = _write(draft, ["question"])
            return f"{asked}\n\n-- in\n{_write(before, taken)}\n\n-- out\n{_write(draft, changed)}\n"
        newest = [each for each in changed if each not in ("rollups", "why")] or newest
    raise AssertionError(f"there is no pass {name}")


def _write(draft: Draft, parts: list[str]) -> str:
    return "\n".join(f"{part}: {show(getattr(draft, part))}" for part in parts)


def test_every_pass_is_the_function_of_its_file_and_has_its_golden_folder(project: Path) -> None:
    prose = (project / "docs" / "engine.md").read_text(encoding="utf-8")
    assert list(QUESTIONS) == NAMES
    for place, run in enumerate(PASSES, start=1):
        name = run.__name__
        assert run.__module__ == f"gnomon.planner.{name}"
        assert (inspect.getmodule(run).__doc__ or "").startswith(f"Pass {place}: ")
        held = {path.stem for path in (project / "tests" / "golden" / name).iterdir()}
        assert held == set(QUESTIONS[name])
        assert f"`{name}`" in prose
