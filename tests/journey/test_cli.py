"""The command line as a user meets it: data on stdout, words on stderr, exit codes, one-screen errors."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pyarrow as pa
import pytest

from gnomon import Engine
from gnomon.core.errors import GnomonError, QueryError
from tests.journey.conftest import BIN, Built, run_command
from tests.worlds import read_rows

NORTH_STARS = ("low_quality_content_rate", "creator_violation_rate")
WEEKS_IN_ID = (
    "gnomon", "query", *NORTH_STARS, "--by", "metric_time__week,creator__tier",
    "--where", "{{ Dimension('creator__region') }} = 'ID'", "--order", "-metric_time__week", "--limit", "10",
)  # fmt: skip


def test_a_question_is_answered_in_every_format(built_sample: Built) -> None:
    table = built_sample.run(*WEEKS_IN_ID)
    assert table.returncode == 0, table.stderr
    assert table.stdout.splitlines()[0].split()[:2] == ["metric_time__week", "creator__tier"]
    rows = list(csv.DictReader(io.StringIO(built_sample.run(*WEEKS_IN_ID, "--format", "csv").stdout)))
    document = json.loads(built_sample.run(*WEEKS_IN_ID, "--format", "json").stdout)
    assert len(rows) == len(document["rows"]) == len(table.stdout.splitlines()) - 2 == 10
    assert list(rows[0]) == document["columns"] == ["metric_time__week", "creator__tier", *NORTH_STARS]
    assert set(document["intervals"]) == {"low_quality_content_rate"}
    assert [row["metric_time__week"] for row in rows] == sorted((r["metric_time__week"] for r in rows), reverse=True)


def test_arrow_goes_to_stdout_as_a_stream(built_sample: Built, project: Path) -> None:
    from tests.journey.conftest import BIN

    raw = subprocess.run(
        [str(BIN / "gnomon"), "query", "views", "--by", "metric_time__month", "--format", "arrow"],
        cwd=project, env=built_sample.environ, capture_output=True, check=True,
    )  # fmt: skip
    assert pa.ipc.open_stream(raw.stdout).read_all().column_names == ["metric_time__month", "views"]


def test_numbers_are_formatted_by_unit_in_the_table_only(built_sample: Built) -> None:
    table = built_sample.run("gnomon", "query", "low_quality_content_rate", "gmv").stdout
    assert " %" in table
    assert "$" in table
    plain = built_sample.run("gnomon", "query", "low_quality_content_rate", "gmv", "--format", "csv").stdout
    assert all(float(value) > 0 for value in plain.splitlines()[1].split(","))


def test_words_go_to_stderr(built_sample: Built) -> None:
    asked = built_sample.run("gnomon", "query", "low_quality_content_rate")
    assert "is read beside" in asked.stderr
    assert "answer from definitions" in asked.stderr
    assert "note" not in asked.stdout


def test_the_top_and_what_changed_are_asked_from_the_shell(built_sample: Built) -> None:
    asked = built_sample.run(
        "gnomon", "query", "views", "views__share", "low_quality_content_rate__change", "--by", "creator__region",
        "--top", "2", "--start", "2026-05-01", "--end", "2026-05-31", "--format", "json",
    )  # fmt: skip
    document = json.loads(asked.stdout)
    assert [row["is_other"] for row in document["rows"]] == [False, False, True]
    assert sum(row["views__share"] for row in document["rows"]) == pytest.approx(1)
    assert document["intervals"]["low_quality_content_rate__change"][2] is not None
    assert "looks back in time" in asked.stderr


def test_plan_prints_the_sql_that_query_runs(built_sample: Built) -> None:
    planned = built_sample.run("gnomon", "plan", "views", "--by", "metric_time__week")
    assert planned.returncode == 0
    assert planned.stdout.startswith("SELECT") or planned.stdout.startswith("WITH")


def test_plan_writes_other_dialects_with_places_for_filters(built_sample: Built) -> None:
    asked = ("gnomon", "plan", "views", "--by", "metric_time__week", "--outer-filters", "creator__tier", "--json")
    for dialect, quote in (("duckdb", '"'), ("postgres", '"'), ("spark", "`")):
        planned = built_sample.run(*asked, "--dialect", dialect)
        assert planned.returncode == 0, planned.stderr
        told = json.loads(planned.stdout)
        assert "[[AND {{creator__tier}}]]" in told["sql"]
        (place,) = told["filters"]
        assert f"{quote}{place['schema']}{quote}.{quote}{place['table']}{quote}" in told["sql"]
    refused = built_sample.run(*asked, "--dialect", "oracle")
    assert refused.returncode == 2
    assert "unknown dialect 'oracle'" in refused.stderr


def test_every_metric_can_be_written_in_every_dialect(project: Path, built_sample: Built) -> None:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in built_sample.environ.items():
            patch.setenv(name, value)
        engine = Engine.open(project)
    refused = {}
    for metric in engine.manifest.metrics:
        try:
            engine.plan([metric], ["metric_time__week"])
        except GnomonError:  # refused everywhere
            continue
        for dialect in ("postgres", "spark"):
            try:
                assert engine.plan([metric], ["metric_time__week"], dialect=dialect).dialect == dialect
            except QueryError as refusal:
                refused[metric, dialect] = str(refusal)
    engine.close()
    assert refused == {}


def test_metrics_lists_all_and_shows_one(built_sample: Built) -> None:
    listed = built_sample.run("gnomon", "metrics").stdout
    assert "creator_violation_rate" in listed
    shown = built_sample.run("gnomon", "metrics", "creator_violation_rate").stdout
    for word in ("owner", "dimensions", "parents", "fct_creator_days", "creator__tier"):
        assert word in shown
    one = json.loads(built_sample.run("gnomon", "metrics", "creator_violation_rate", "--json").stdout)
    assert one["metric"] == "creator_violation_rate"


def test_edited_definitions_are_asked_with_and_said_to_be_other_ones(built_sample: Built, tmp_path: Path) -> None:
    text = (built_sample.target / "semantic_manifest.json").read_text(encoding="utf-8")
    (tmp_path / "semantic_manifest.json").write_text(text.replace('"views"', '"views_renamed"'), encoding="utf-8")
    asked = built_sample.run("gnomon", "query", "views_renamed", "--manifest", str(tmp_path))
    assert asked.returncode == 0, asked.stderr
    assert "the definitions asked with are not those that this file was built with" in asked.stderr


REFUSED = {
    "unknown metric": ("query", "low_quality_rate"),
    "unknown dimension": ("query", "views", "--by", "creator__teir"),
    "unreachable dimension": ("query", "signup_block_rate", "--by", "content__category"),
    "syntax error in a filter": ("query", "views", "--where", "{{ Dimension('creator__tier') }} = = 'gold'"),
    "injection in a filter": ("query", "views", "--where", "1 = 1; drop table fct_content_days"),
    "index without its inputs": ("query", "ecosystem_health_index"),
    "own outcome": ("query", "complaint_rate", "--by", "order__complaint_fault_party"),
    "unknown metric to show": ("metrics", "viws"),
}


def test_every_error_is_one_screen_with_exit_code_2(built_sample: Built, golden: Callable[[str, str], None]) -> None:
    texts = []
    for name, arguments in REFUSED.items():
        run = built_sample.run("gnomon", *arguments)
        texts.append(describe(name, arguments, run))
    golden("cli_refusals.txt", "\n".join(texts))


def test_every_error_of_data_is_one_screen_with_exit_code_2(
    project: Path, tmp_path: Path, golden: Callable[[str, str], None]
) -> None:
    sample = project / "data" / "sample"

    def damaged(name: str, damage: Callable[[Path], object]) -> str:
        shutil.copytree(sample, tmp_path / name)
        damage(tmp_path / name)
        return name

    def rewrite(folder: Path, change: Callable[[pa.Table], pa.Table]) -> None:
        import pyarrow.parquet as pq

        path = folder / "orders" / "part-0.parquet"
        pq.write_table(change(pq.read_table(path)), path)

    def stringify(table: pa.Table) -> pa.Table:
        place = table.column_names.index("paid_at")
        return table.set_column(place, "paid_at", table.column(place).cast(pa.string()))

    cases = {
        "missing folder": ("ingest", "check", "nowhere"),
        "missing table": ("ingest", "check", damaged("a", lambda f: shutil.rmtree(f / "orders"))),
        "missing column": ("ingest", "check", damaged("b", lambda f: rewrite(f, lambda t: t.drop(["buyer_id"])))),
        "wrong type": ("ingest", "check", damaged("c", lambda f: rewrite(f, stringify))),
        "broken Parquet": (
            "ingest", "check", damaged("d", lambda f: (f / "orders" / "part-0.parquet").write_bytes(b"PAR1 no")),
        ),
        "nothing built": ("query", "views", "--project-dir", "a"),
        "not a log": ("ingest", "kuairand", "a/truth", "--out", "out"),
        "unknown kind of folder": ("ingest", "find", "a/truth"),
    }  # fmt: skip
    texts = []
    for name, arguments in cases.items():
        texts.append(describe(name, arguments, run_command(["gnomon", *arguments], folder=tmp_path)))
    golden("cli_data_errors.txt", "\n".join(texts))


def describe(name: str, arguments: tuple[str, ...], run: subprocess.CompletedProcess[str]) -> str:
    assert run.returncode == 2, f"{name}: {run.stdout}{run.stderr}"
    text = run.stdout + run.stderr
    assert "Traceback" not in text
    assert len(text.splitlines()) <= 30
    return f"## {name}\n$ gnomon {' '.join(arguments)}\n{text}"


@pytest.mark.parametrize(
    "command",
    ["query", "plan", "metrics", "sql", "simulate", "ingest", "ingest check", "ingest validate", "ingest find"],
)
def test_every_command_says_what_it_does(command: str) -> None:
    run = run_command(["gnomon", *command.split(), "--help"])
    assert run.returncode == 0
    assert "Usage: gnomon" in run.stdout


def test_simulate_writes_the_same_world_twice_and_says_so(tmp_path: Path) -> None:
    for name in ("one", "two"):
        made = run_command(
            ["gnomon", "simulate", "--out", str(tmp_path / name), "--seed", "3", "--days", "40", "--creators", "40"]
        )
        assert made.returncode == 0, made.stderr
    assert (tmp_path / "one" / "raw_set.json").read_bytes() == (tmp_path / "two" / "raw_set.json").read_bytes()
    dry = run_command(["gnomon", "simulate", "--out", str(tmp_path / "three"), "--dry-run"])
    assert dry.returncode == 0
    assert not (tmp_path / "three").exists()


def test_a_killed_simulation_leaves_nothing_that_looks_finished_and_does_not_hinder_the_next(tmp_path: Path) -> None:
    """Killed at moments from its first file to its last, as the days that it has written tell."""
    arguments = ["--seed", "3", "--days", "40", "--creators", "100"]
    command = [str(BIN / "gnomon"), "simulate", "--out", str(tmp_path / "raw"), *arguments]
    made = run_command(["gnomon", "simulate", "--out", str(tmp_path / "whole"), *arguments])
    assert made.returncode == 0, made.stderr
    size = count_bytes(tmp_path / "whole")
    reached = []
    for share in (0.0, 0.3, 0.7):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        while process.poll() is None and count_bytes(tmp_path / "raw.partial") <= share * size:
            with suppress(subprocess.TimeoutExpired):
                process.wait(0.02)
        process.kill()
        assert process.wait() == -signal.SIGKILL, "it ended before it was killed"
        reached.append(count_bytes(tmp_path / "raw.partial") / size)
        assert not (tmp_path / "raw").exists()
        checked = run_command(["gnomon", "ingest", "check", str(tmp_path / "raw.partial")])
        assert checked.returncode == 2, checked.stdout
    assert reached == sorted(reached)
    again = run_command(["gnomon", "simulate", "--out", str(tmp_path / "raw"), *arguments])
    assert again.returncode == 0, again.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == ["raw", "whole"]
    assert read_rows(tmp_path / "raw") == read_rows(tmp_path / "whole")


def count_bytes(folder: Path) -> int:
    """Return how much a folder holds; what goes away meanwhile is nothing."""
    found = 0
    # It passes over a folder that goes while it is being read, as rglob does not.
    for parent, _, names in os.walk(folder):
        for name in names:
            with suppress(FileNotFoundError):
                found += (Path(parent) / name).stat().st_size
    return found
