"""Decisions from outside: what a strategy wants done on a day, read from a file and checked."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from gnomon.core.errors import QueryError, explain_unknown
from gnomon.simulate.rulings import LONGEST_DECISION_ID
from gnomon.simulate.spells import ACTIONS, BAN, DELAY_PAYOUT, REMOVE, SUSPEND
from gnomon.simulate.state import State
from gnomon.simulate.world import HOUR, NONE, Day, Ints

_LETTERS = {"account": "a", "content": "c"}
_NEEDED = ("target_type", "target_id", "action", "decision_id")
_COLUMNS = (*_NEEDED, "at")
_ENDINGS = (".csv", ".jsonl", ".ndjson", ".parquet")
_ID = re.compile(r"(?P<letter>[ac])(?P<number>[0-9]{9})")
_SHOWN = 20


def _nothing() -> Ints:
    return np.zeros(0, dtype=np.int64)


@dataclass(frozen=True)
class Decisions:
    """What is decided outside about one day, one element each.

    `creator` is the number of an account, `item` that of an item; one of the two is -1.
    `decided_at` is -1 where the file gives no moment. `line` and `path` say where each comes from.
    """

    creator: Ints = field(default_factory=_nothing)
    item: Ints = field(default_factory=_nothing)
    action: Ints = field(default_factory=_nothing)
    decided_at: Ints = field(default_factory=_nothing)
    decision_id: list[str] = field(default_factory=list)
    line: Ints = field(default_factory=_nothing)
    path: str = ""


def read_decisions(path: Path) -> Decisions:
    """Return the decisions in a CSV, JSON-lines or Parquet file.

    Columns: target_type (account or content), target_id, action, decision_id, and optional `at`,
    a moment inside the day, UTC unless it says otherwise. QueryError lists all that is wrong, each
    with its line (in Parquet: its row).
    """
    faults: list[str] = []
    rows = []
    for line, values in _read_rows(path):
        row, wrong = _read_row(values)
        faults += [f"{path}:{line}: {text}" for text in wrong]
        rows.append((*row, line))
    _raise(faults)
    columns = [np.array([row[place] for row in rows], dtype=np.int64) for place in (0, 1, 2, 3, 5)]
    return Decisions(
        creator=columns[0],
        item=columns[1],
        action=columns[2],
        decided_at=columns[3],
        decision_id=[row[4] for row in rows],
        line=columns[4],
        path=str(path),
    )


def check_decisions(state: State, day: Day, decisions: Decisions) -> Decisions:
    """Return the decisions with a moment each; one that names none is taken in the day's first hour.

    QueryError if a target does not exist yet or a moment lies outside the day.
    """
    faults = []
    for name, numbers, count in (
        ("account", decisions.creator, state.accounts.count),
        ("content", decisions.item, state.items.count),
    ):
        for row in np.flatnonzero(numbers >= count).tolist():
            letter = _LETTERS[name]
            known = f"Known: {letter}{1:09d} to {letter}{count:09d}." if count else "There is none yet."
            faults.append(f"{_say_where(decisions, row)}unknown {name} '{letter}{numbers[row] + 1:09d}'. {known}")
    given = decisions.decided_at != NONE
    outside = given & ((decisions.decided_at < day.begins_at) | (decisions.decided_at >= day.ends_at))
    for row in np.flatnonzero(outside).tolist():
        at = datetime.fromtimestamp(int(decisions.decided_at[row]), tz=UTC).replace(tzinfo=None)
        faults.append(f"{_say_where(decisions, row)}at {at}: the day to come is {day.date}, in UTC.")
    _raise(faults)
    count = len(decisions.action)
    first = day.begins_at + (np.arange(count, dtype=np.int64) * HOUR) // max(count, 1)
    return replace(decisions, decided_at=np.where(given, decisions.decided_at, first))


def _say_where(decisions: Decisions, row: int) -> str:
    return f"{decisions.path}:{decisions.line[row]}: " if len(decisions.line) else ""


def _raise(faults: list[str]) -> None:
    if faults:
        more = [f"and {len(faults) - _SHOWN} more."] if len(faults) > _SHOWN else []
        raise QueryError("\n".join([*faults[:_SHOWN], *more]))


def _read_row(values: Mapping[str, object]) -> tuple[tuple[int, int, int, int, str], list[str]]:
    """Return account, item, action, moment and id of one row, and what is wrong with it."""
    faults = [explain_unknown("column", name, _COLUMNS) for name in values if name not in _COLUMNS]
    empty = [name for name in _NEEDED if values.get(name) in (None, "")]
    faults += [f"{name} is missing." for name in empty]
    unread = [name for name in _NEEDED if name not in empty and not _is_text(values[name])]
    faults += [f"{name} is no text." for name in unread]
    given = [name for name in _NEEDED if name not in (*empty, *unread)]
    kind, target, word, label = (str(values[name]) if name in given else "" for name in _NEEDED)
    action = -1
    if word in ACTIONS:
        action = ACTIONS.tolist().index(word)
    elif word:
        faults.append(explain_unknown("action", word, ACTIONS.tolist()))
    number = -1
    if kind and kind not in _LETTERS:
        faults.append(explain_unknown("target_type", kind, _LETTERS))
    elif kind and target:
        match = _ID.fullmatch(target)
        if match is None or match["letter"] != _LETTERS[kind] or int(match["number"]) == 0:
            faults.append(f"target_id '{target}' is no id of {kind}: one looks like '{_LETTERS[kind]}000000001'.")
        else:
            number = int(match["number"]) - 1
    if kind == "account" and action == REMOVE:
        faults.append("action 'remove' is for content; an account can be suspended or banned.")
    if kind == "content" and action in (SUSPEND, BAN, DELAY_PAYOUT):
        faults.append(f"action '{word}' is for accounts; content can be removed, limited in reach or warned about.")
    if len(label) > LONGEST_DECISION_ID:
        faults.append(f"decision_id is longer than {LONGEST_DECISION_ID} characters.")
    at, fault = _read_moment(values.get("at"))
    faults += fault
    is_item = kind == "content"
    return (-1 if is_item else number, number if is_item else -1, action, at, label), faults


def _is_text(value: object) -> bool:
    """Tell whether a value is a text that a file can keep, or a number; JSON has halves of a letter, no file has."""
    if isinstance(value, str):
        return not any("\ud800" <= letter <= "\udfff" for letter in value)
    return isinstance(value, int) and not isinstance(value, bool)


def _read_moment(value: object) -> tuple[int, list[str]]:
    if value is None or value == "":
        return int(NONE), []
    try:
        moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    except ValueError:
        return int(NONE), [f"at '{value}' is no moment: one looks like '2026-03-02 10:30:00'."]
    try:
        moment = moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        return int(NONE), [f"at '{value}' is in UTC before the year 1 or after 9999."]
    return int(moment.timestamp()), []


def _read_rows(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Give each row with its line; QueryError if the file cannot be read as what its ending says."""
    if path.suffix not in _ENDINGS:
        raise QueryError(f"{path}: {explain_unknown('kind of file', path.suffix or path.name, _ENDINGS)}")
    if not path.is_file():
        raise QueryError(f"{path}: no such file of decisions.")
    read = {".csv": _read_csv, ".parquet": _read_parquet}.get(path.suffix, _read_jsonl)
    yield from read(path)


def _check_header(path: Path, names: Iterable[str]) -> None:
    """QueryError, before any row is read, for a column that is unknown, twice there or missing."""
    found = list(names)
    faults = [f"{path}:1: {explain_unknown('column', name, _COLUMNS)}" for name in found if name not in _COLUMNS]
    faults += [f"{path}:1: column '{name}' is there twice." for name in _COLUMNS if found.count(name) > 1]
    faults += [f"{path}:1: column '{name}' is missing." for name in _NEEDED if name not in found]
    _raise(faults)


def _read_csv(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    with path.open(encoding="utf-8-sig", newline="") as lines:
        reader = csv.reader(lines, strict=True)
        try:
            names = next(reader, [])
            _check_header(path, names)
            for row in reader:
                if len(row) != len(names):
                    raise QueryError(f"{path}:{reader.line_num}: {len(row)} values for {len(names)} columns.")
                yield reader.line_num, dict(zip(names, row, strict=True))
        except (csv.Error, UnicodeDecodeError) as error:
            raise QueryError(f"{path}:{max(reader.line_num, 1)}: not CSV in UTF-8: {error}.") from error


def _read_jsonl(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError as error:
        raise QueryError(f"{path}: not text in UTF-8: {error}.") from error
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            values = json.loads(line)
        # A ValueError that is no JSONDecodeError is a number of more digits than Python reads.
        except (ValueError, RecursionError) as error:
            raise QueryError(f"{path}:{number}: not JSON: {error}.") from error
        if not isinstance(values, dict):
            raise QueryError(f"{path}:{number}: each line is one JSON object.")
        yield number, values


def _read_parquet(path: Path) -> Iterator[tuple[int, Mapping[str, object]]]:
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        table = pq.read_table(path)
    except (pa.ArrowInvalid, OSError) as error:
        raise QueryError(f"{path}: not a Parquet file: {error}.") from error
    _check_header(path, table.column_names)
    try:
        rows = table.to_pylist()
    # A moment past the year 9999; a time zone or a text in UTF-8 that is none.
    except (OverflowError, ValueError, LookupError) as error:
        raise QueryError(f"{path}: a value cannot be read: {error}.") from error
    yield from enumerate(rows, start=1)
