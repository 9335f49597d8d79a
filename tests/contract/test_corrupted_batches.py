"""Corrupted batches, no two alike: the door refuses each whole, or puts its bad rows into quarantine."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from gnomon.core.contract import read_contract
from gnomon.core.raw_set import RawSet
from gnomon.ingest import Decision, Verdict, check, validate
from gnomon.ingest.second_reader import read_again
from gnomon.ingest.sifting import REASON_COLUMN
from gnomon.ingest.validate import SecondReader
from tests.contract.corrupted_files import list_file_corruptions
from tests.contract.corrupted_rows import FEWEST_ROWS, list_row_corruptions
from tests.contract.corruption import Corruption
from tests.contract.test_validate import agree
from tests.contract.tiny_set import write_tiny_set

SEED = 20260302
FILES, ROWS = list_file_corruptions(SEED), list_row_corruptions(SEED)
ALL = (*FILES, *ROWS)
KINDS = tuple(dict.fromkeys(corruption.kind for corruption in ALL))


def draw(corruptions: tuple[Corruption, ...], share: int) -> set[str]:
    """The labels of every so many-th corruption of each kind."""
    return {
        corruption.label
        for kind in KINDS
        for corruption in [found for found in corruptions if found.kind == kind][::share]
    }


# A corrupted row costs a whole sifting, so that every seventh is asked each time and all of them nightly.
QUICK = {corruption.label for corruption in FILES} | draw(ROWS, 7)
EACH_TIME = [
    corruption if corruption.label in QUICK else pytest.param(corruption, marks=pytest.mark.nightly)
    for corruption in ALL
]
# What keeps a batch from being sifted at all, so that the other process never sees it.
BEFORE_SIFTING = {"broken_parquet", "wrong_type"}


@pytest.fixture(scope="session")
def tiny(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_tiny_set(project / "data" / "sample", tmp_path_factory.mktemp("tiny") / "raw")


@pytest.fixture(scope="module")
def tally(request: pytest.FixtureRequest) -> Iterator[Counter[tuple[str, str]]]:
    """How many batches of each kind were refused and quarantined; shown at the end, where there is a terminal."""
    counts: Counter[tuple[str, str]] = Counter()
    yield counts
    capture = request.config.pluginmanager.getplugin("capturemanager")
    lines = [
        f"{kind:<18}{counts[kind, Decision.REFUSED.value]:>4} refused {counts[kind, Decision.FINDINGS.value]:>4} in "
        "quarantine"
        for kind in KINDS
    ]
    with capture.global_and_fixture_disabled():
        print("\n" + "\n".join(lines))


def digest(folder: Path) -> dict[str, str]:
    """The bytes of every file below `folder`, by name."""
    return {
        str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def judge(corruption: Corruption, tiny: Path, place: Path, second_reader: SecondReader) -> Verdict:
    """Corrupt a copy of the tiny set, let the door judge it, and hold the outcome against what the door promises."""
    raw = place / "raw"
    shutil.copytree(tiny, raw)
    corruption.change(raw)
    before = digest(raw)
    verdict = validate(raw, out=place / "out", history=place / "history", second_reader=second_reader)
    assert digest(raw) == before, "the batch was changed"
    found = [finding for finding in verdict.findings if finding.rule in corruption.rules]
    assert found, f"{corruption.label} was not noticed: {[finding.text for finding in verdict.findings]}"
    assert not corruption.table or corruption.table in {finding.table for finding in found}
    for table in verdict.tables:
        assert table.row_count == table.passed + table.quarantined, table.table
    if verdict.decision is Decision.REFUSED:
        assert sorted(path.name for path in place.iterdir()) == ["raw"], "a refused batch left something behind"
    else:
        _check_quarantine(corruption, raw, place / "out")
    return verdict


def _check_quarantine(corruption: Corruption, raw: Path, out: Path) -> None:
    assert RawSet.read(out) == RawSet.read(raw)
    assert check(out).is_clean
    for name in read_contract().tables:
        read = sum(pq.read_metadata(path).num_rows for path in (raw / name).glob("*.parquet"))
        kept = sum(pq.read_metadata(path).num_rows for path in (out / "quarantine" / name).glob("*.parquet"))
        assert read == pq.read_metadata(out / name / "part-0.parquet").num_rows + kept, name
    reasons = pq.read_table(out / "quarantine" / corruption.table, columns=[REASON_COLUMN])[REASON_COLUMN].to_pylist()
    assert any(reason.split(":")[0] in corruption.rules for reason in "; ".join(reasons).split("; "))


def test_there_are_at_least_200_and_no_two_are_the_same() -> None:
    assert len({corruption.label for corruption in ALL}) == len(ALL)
    assert len(QUICK) >= 200
    assert list_row_corruptions(SEED)[5].label == ROWS[5].label


def test_the_set_that_is_corrupted_is_clean_before(tiny: Path, tmp_path: Path) -> None:
    verdict = validate(tiny, out=tmp_path / "out", history=tmp_path / "history", second_reader=agree)
    assert (verdict.decision, verdict.findings) == (Decision.CLEAN, ())
    assert min(table.row_count for table in verdict.tables) >= FEWEST_ROWS


@pytest.mark.parametrize("corruption", EACH_TIME, ids=lambda corruption: corruption.label)
def test_the_door_notices(corruption: Corruption, tiny: Path, tmp_path: Path, tally: Counter[tuple[str, str]]) -> None:
    verdict = judge(corruption, tiny, tmp_path, agree)
    tally[corruption.kind, verdict.decision.value] += 1


def test_the_suites_agree_on_one_batch_with_two_corruptions_of_each_kind(tiny: Path, tmp_path: Path) -> None:
    raw = tmp_path / "raw"
    shutil.copytree(tiny, raw)
    chosen = [
        corruption
        for kind in KINDS
        for corruption in [found for found in ROWS if found.kind == kind and found.table][-3::2]
        if not BEFORE_SIFTING.intersection(corruption.rules)
    ]
    for corruption in chosen:
        corruption.change(raw)
    verdict = validate(raw, second_reader=read_again, history=tmp_path / "history")
    found = {(finding.table, finding.rule) for finding in verdict.findings}
    missed = [c.label for c in chosen if not {(c.table, rule) for rule in c.rules} & found]
    assert (len(chosen) >= 10, missed) == (True, [])
    assert verdict.expectation_count > 500


@pytest.mark.nightly
@pytest.mark.parametrize("corruption", ALL, ids=lambda corruption: corruption.label)
def test_the_suites_agree(corruption: Corruption, tiny: Path, tmp_path: Path) -> None:
    judge(corruption, tiny, tmp_path, read_again)
