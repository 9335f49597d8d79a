"""The doctor: what is wrong with the newest build, by its own history, and what to do about it.

What is usual is said by earlier whole builds: bands of robust spreads, as wide and with as many
points as the door's own history asks for. Only promises (a budget of rows, a test that runs, a
build that is whole) are judged without history.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise
from math import sqrt
from statistics import median

from gnomon.ingest.expectations import HistoryRule
from gnomon.operations.bands import Band, draw_band, measure_spread
from gnomon.operations.journal import Entry
from gnomon.warehouse import Build, BuildHistory, NodeRun

_RAN = ("success", "pass", "warn", "fail", "error")
_BAD = ("fail", "error", "skipped", "runtime error")


@dataclass(frozen=True)
class Problem:
    """One finding: which rule found it, at which node (empty: the whole build), and what to do."""

    rule: str
    node: str
    text: str
    remedy: str


@dataclass(frozen=True)
class Diagnosis:
    """All problems, and in `notes` what could not be judged and why."""

    build_count: int
    problems: tuple[Problem, ...]
    notes: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """Return 0 if nothing is wrong, 1 otherwise."""
        return 1 if self.problems else 0


def diagnose(history: BuildHistory, journal: Sequence[Entry], rule: HistoryRule, now: datetime) -> Diagnosis:
    """Judge the newest build of `history` by the whole builds before it; `now` is UTC."""
    last = history.last
    # A build is no part of its own baseline.
    earlier = [build for build in history.builds[:-1] if build.is_whole and build.is_passed]
    problems = [*_find_unsound(history), *_find_over_budget(history)]
    notes = []
    if len(earlier) < rule.minimum:
        notes.append(
            f"Too little history to judge rows, seconds, memory and freshness: it needs {rule.minimum} whole builds "
            f"that passed before this one, and there {'is' if len(earlier) == 1 else 'are'} {len(earlier)}."
        )
    elif last.is_whole:
        problems += _find_slow(history, earlier, rule)
        problems += _find_row_jumps(last, earlier, rule)
        problems += _find_memory(last, earlier, rule)
        problems += _find_stale(last, earlier, rule, now)
    shares = [entry for entry in journal if entry.rows_read]
    if len(shares) <= rule.minimum:
        notes.append(
            f"Too little history to judge the share in quarantine: it needs {rule.minimum + 1} daily runs that read "
            f"rows, and there {'is' if len(shares) == 1 else 'are'} {len(shares)}."
        )
    else:
        problems += _find_quarantine(shares, rule)
    if all(node.peak_memory_bytes is None for node in last.nodes.values()):
        notes.append("Memory was not measured in the newest build; `gnomon daily` measures it, `dbt build` does not.")
    return Diagnosis(len(history.builds), tuple(problems), tuple(notes))


def _find_unsound(history: BuildHistory) -> Iterator[Problem]:
    """Whether the newest build is whole and passed, and whether every test of the project ever ran."""
    last = history.last
    bad = sorted(node.node_id for node in last.nodes.values() if node.status in _BAD)
    if not last.is_passed:
        named = _name_some(bad)
        yield Problem("not_passed", "", f"The newest build did not pass: {named}.", "Mend them and build again.")
    if not last.is_whole:
        text = f"The newest build is of a part: {len(last.nodes)} of {len(history.project)} nodes."
        yield Problem("not_whole", "", text, "Run `dbt build` without a selection, or `gnomon daily`.")
    ran = {node.node_id for build in history.builds for node in build.nodes.values() if node.status in _RAN}
    tests = sorted(name for name in history.project if name.split(".")[0] in ("test", "unit_test"))
    never = [name for name in tests if name not in ran]
    if never:
        text = f"{len(never)} of {len(tests)} tests never ran: {_name_some(never)}."
        yield Problem("never_ran", "", text, "See what selects them away, then run `dbt build`.")


def _find_over_budget(history: BuildHistory) -> Iterator[Problem]:
    nodes = history.last.nodes
    for name, budget in history.project.items():
        node = nodes.get(name)
        if budget is None or node is None or node.row_count is None:
            continue
        raw = [nodes.get(f"model.gnomon.stg_raw__{table}") for table in budget.per]
        rows = sum(part.row_count or 0 for part in raw if part)
        allowed = budget.rows * rows
        if rows and node.row_count > allowed:
            yield Problem(
                "over_budget",
                name,
                f"{_short(name)} has {node.row_count:,} rows; its budget is {allowed:,.0f}, {budget.rows:g} for each "
                f"of {rows:,} rows of {' and '.join(budget.per)}.",
                "See whether its grain or a join multiplies rows, or state another row_budget and why.",
            )


def _find_slow(history: BuildHistory, earlier: Sequence[Build], rule: HistoryRule) -> Iterator[Problem]:
    """Nodes slower than by their own history, the speed of the whole build taken out.

    A build on a busy machine is slow everywhere: that is one problem and not one for each node. A
    node is told of only if it loses at least what a typical node takes.
    """
    last = history.last
    speeds = {build.run_id: speed for build in (*earlier, last) if (speed := _measure_speed(build, earlier))}
    if last.run_id not in speeds:
        return
    known = [speeds[build.run_id] for build in earlier if build.run_id in speeds]
    if len(known) >= rule.minimum:
        band = draw_band(known, _measure_usual_spread([known]), rule.width)
        if speeds[last.run_id] > band.high:
            yield Problem(
                "slow_build",
                "",
                f"The whole build took {speeds[last.run_id] / band.centre:.1f} times as long as usual, node by node.",
                "See what else ran on the machine, and whether its disk or memory was short.",
            )
    typical = median(node.seconds for node in last.nodes.values() if node.seconds)
    series = {
        name: [
            (node.seconds / speeds[build.run_id], _count_moved(history, build, name))
            for build in earlier
            if build.run_id in speeds and (node := build.nodes.get(name)) and node.seconds
        ]
        for name in last.nodes
    }
    usual = _measure_usual_spread([[seconds for seconds, _ in found] for found in series.values()])
    for name, found in series.items():
        if len(found) < rule.minimum or not last.nodes[name].seconds:
            continue
        seconds = (last.nodes[name].seconds or 0) / speeds[last.run_id]
        band = draw_band([past for past, _ in found], usual, rule.width)
        if seconds > band.high and seconds - band.centre >= typical:
            moved = _count_moved(history, last, name)
            yield _tell_slow(last.nodes[name], speeds[last.run_id], band, moved, [rows for _, rows in found])
            continue
        yield from _find_skew(history, name, speeds[last.run_id], found, usual, rule, typical)


def _tell_slow(node: NodeRun, speed: float, band: Band, rows: int, past_rows: Sequence[int]) -> Problem:
    """Return the problem in the seconds of this build: the band is scaled to its speed, not the node to the band's."""
    usual_rows = median(past_rows)
    growth = f"{rows / usual_rows:.1f} times" if usual_rows else "not measured"
    return Problem(
        "slow",
        node.node_id,
        f"{_short(node.node_id)} took {node.seconds:.2f} s; {band.centre * speed:.2f} s is usual at the pace of this "
        f"build and up to {band.high * speed:.2f} s happens. The rows that it reads and writes are {growth} the usual.",
        "Look at its plan with `explain analyze`; if its rows grew as much, look at what feeds it.",
    )


def _find_skew(
    history: BuildHistory,
    name: str,
    speed: float,
    found: Sequence[tuple[float, int]],
    usual: float,
    rule: HistoryRule,
    typical: float,
) -> Iterator[Problem]:
    """A node whose seconds do not follow its rows: it costs more for each row than it used to."""
    rows, taken = _count_moved(history, history.last, name), history.last.nodes[name].seconds or 0
    seconds = taken / speed
    costs = [past / moved for past, moved in found if moved]
    if len(costs) < rule.minimum or not rows:
        return
    band = draw_band(costs, usual, rule.width)
    if seconds / rows > band.high and seconds - band.centre * rows >= typical:
        yield Problem(
            "skew",
            name,
            f"{_short(name)} took {1e6 * taken / rows:,.1f} s for each million rows that it reads and writes; "
            f"{1e6 * band.centre * speed:,.1f} s is usual at the pace of this build.",
            "See whether one key holds most rows, or a join lost its condition.",
        )


def _find_row_jumps(last: Build, earlier: Sequence[Build], rule: HistoryRule) -> Iterator[Problem]:
    """Tables whose rows fell or jumped more, from one build to the next, than they ever used to."""
    chain = [*earlier, last]
    for name, node in last.nodes.items():
        counts = [
            found.row_count
            for build in chain
            if (found := build.nodes.get(name)) is not None and found.row_count is not None
        ]
        if node.row_count is None or len(counts) <= rule.minimum + 1:
            continue
        # One is added, so that a table that was or is empty has a ratio too.
        ratios = [(after + 1) / (before + 1) for before, after in pairwise(counts)]
        *past, newest = ratios
        band = draw_band(past, 1 / sqrt(counts[-2] + 1), rule.width)
        if band.low <= newest <= band.high:
            continue
        word = "fell" if newest < band.low else "jumped"
        yield Problem(
            f"rows_{word}",
            name,
            f"{_short(name)} {word} from {counts[-2]:,} to {counts[-1]:,} rows; {band.low * (counts[-2] + 1) - 1:,.0f} "
            f"to {band.high * (counts[-2] + 1) - 1:,.0f} would be usual.",
            "Ask whether the batch lost or repeated rows (`gnomon ingest validate`), or a model changed.",
        )


def _find_memory(last: Build, earlier: Sequence[Build], rule: HistoryRule) -> Iterator[Problem]:
    """The peak of the build only: nodes run beside each other in one process."""
    past = [peak for build in earlier if (peak := _find_peak(build))]
    peak = _find_peak(last)
    if not peak or len(past) < rule.minimum:
        return
    band = draw_band(past, _measure_usual_spread([past]), rule.width)
    if peak > band.high:
        holder = max(last.nodes.values(), key=lambda node: node.peak_memory_bytes or 0)
        yield Problem(
            "memory",
            holder.node_id,
            f"The build's memory peaked at {peak / 1e6:,.0f} MB while {_short(holder.node_id)} ran; "
            f"{band.centre / 1e6:,.0f} MB is usual.",
            "Look at its joins and windows; DuckDB's memory_limit in profiles.yml bounds it.",
        )


def _find_stale(last: Build, earlier: Sequence[Build], rule: HistoryRule, now: datetime) -> Iterator[Problem]:
    """Whether a build is overdue, and whether the data lie further behind their build than they used to."""
    starts = [build.started_at for build in earlier] + [last.started_at]
    gaps = [(after - before).total_seconds() for before, after in pairwise(starts) if after > before]
    if len(gaps) >= rule.minimum:
        band = draw_band(gaps, _measure_usual_spread([gaps]), rule.width)
        age = (now - last.started_at).total_seconds()
        # One usual interval to spare: a build that runs now has not recorded itself yet.
        if age > band.high + band.centre:
            yield Problem(
                "overdue",
                "",
                f"The newest build is {_word(age)} old; builds usually come every {_word(band.centre)}.",
                "See whether the schedule still runs `gnomon daily`.",
            )
    lags = [lag for build in earlier if (lag := (build.started_at - build.as_of).total_seconds()) > 0]
    lag = (last.started_at - last.as_of).total_seconds()
    if len(lags) >= rule.minimum and gaps:
        # One usual interval to spare: a batch may come just after a build.
        high = draw_band(lags, 0, rule.width).high + median(gaps)
        if lag > high:
            yield Problem(
                "stale",
                "",
                f"The newest row is {_word(lag)} older than its build; up to {_word(high)} is usual.",
                "See whether the source still delivers.",
            )


def _find_quarantine(entries: Sequence[Entry], rule: HistoryRule) -> Iterator[Problem]:
    *past, last = entries
    share = last.rows_quarantined / last.rows_read
    # Half a row is added, so that a history without any has a share too.
    shares = [(entry.rows_quarantined + 0.5) / entry.rows_read for entry in past]
    band = draw_band(shares, 1 / sqrt(median(entry.rows_quarantined for entry in past) + 1), rule.width)
    if (last.rows_quarantined + 0.5) / last.rows_read > band.high:
        yield Problem(
            "quarantine",
            "",
            f"{share:.2%} of the newest batch is in quarantine; {band.centre:.2%} is usual, up to {band.high:.2%}.",
            "Read the reasons in the batch's quarantine folder, and mend the source.",
        )


def _measure_speed(build: Build, earlier: Sequence[Build]) -> float | None:
    """Return how slow a build was, node by node: the median ratio of its seconds to the usual ones."""
    usual = {
        name: median(found)
        for name in build.nodes
        if (found := [node.seconds for other in earlier if (node := other.nodes.get(name)) and node.seconds])
    }
    ratios = [node.seconds / usual[name] for name, node in build.nodes.items() if name in usual and node.seconds]
    return median(ratios) if ratios else None


def _measure_usual_spread(series: Sequence[Sequence[float]]) -> float:
    """Return the typical spread of many series: what is taken for one that has none of its own."""
    spreads = [measure_spread(values) for values in series if len(values) > 1]
    return median(spreads) if spreads else 0.0


def _count_moved(history: BuildHistory, build: Build, name: str) -> int:
    """Return the rows that a node writes and that its parents hold, in that build."""
    nodes = [build.nodes.get(parent) for parent in (name, *history.parents.get(name, ()))]
    return sum(node.row_count or 0 for node in nodes if node)


def _find_peak(build: Build) -> int | None:
    return max((node.peak_memory_bytes for node in build.nodes.values() if node.peak_memory_bytes), default=None)


def _name_some(names: Sequence[str], shown: int = 3) -> str:
    text = ", ".join(_short(name) for name in names[:shown]) or "no node is recorded"
    return text + (f" and {len(names) - shown} more" if len(names) > shown else "")


def _short(node_id: str) -> str:
    return node_id.split(".")[2] if node_id.count(".") >= 2 else node_id


def _word(seconds: float) -> str:
    span = timedelta(seconds=round(seconds))
    return str(span) if span >= timedelta(hours=1) else f"{seconds / 60:.0f} minutes"
