"""Publishing from a small working file: what is copied and checked, what is refused, what stays as it was."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from gnomon import Engine
from gnomon.core.errors import DefinitionError, GnomonError, WarehouseError
from gnomon.core.lock import hold_lock
from gnomon.engine import EngineHouse, SqlDoor
from gnomon.publish import Effect, Publication, list_generations, making, publish, publishing, roll_back
from gnomon.publish.journal import FILE_NAME
from gnomon.warehouse import Service
from tests.generations import LAYERS, POSTS, ROLLUPS, Small, build_small


def run(small: Small, **options: Any) -> Publication:
    return publish(small.project, environ={}, **options)


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DBT_TARGET_PATH", "GNOMON_DATABASE", "GNOMON_GENERATIONS"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def small(tmp_path: Path) -> Small:
    return build_small(tmp_path)


def ask_stamp(project: Path, **options: Any) -> tuple[float, str | None]:
    engine = Engine.open(project, **options)
    try:
        result = engine.query(["stamp"])
        return result.to_arrow().column("stamp")[0].as_py(), result.provenance.generation
    finally:
        engine.close()


def read_phases(small: Small) -> list[str]:
    lines = (small.generations.folder / FILE_NAME).read_text(encoding="utf-8").splitlines()
    return [json.loads(line)["phase"] for line in lines]


def list_tables(path: Path) -> set[str]:
    with duckdb.connect(str(path), read_only=True) as connection:
        return {
            f"{schema}.{name}"
            for schema, name in connection.execute(
                "select table_schema, table_name from information_schema.tables where table_type = 'BASE TABLE'"
            ).fetchall()
        }


def test_a_generation_holds_marts_features_scores_seeds_rollups_and_the_record(small: Small) -> None:
    done = run(small)
    assert done.effect is Effect.PUBLISHED
    assert done.generation_id == "g0001-20260301T000000-00000001"
    path = small.generations.locate(done.generation_id)
    published = {f"main.{name}" for name in LAYERS if not name.startswith("int_")}
    rollups = {f"main.rollup_{rollup['name']}" for rollup in ROLLUPS}
    names = ("runs", "nodes", "project_nodes", "edges", "absent_tables", "generation", "rollups")
    assert list_tables(path) == published | rollups | {f"gnomon_build.{name}" for name in names}
    folder = sorted(each.name for each in path.parent.iterdir())
    assert folder == [path.name, "lease", "manifest.json", "semantic_manifest.json"]
    assert json.loads((path.parent / "manifest.json").read_text("utf-8"))["metadata"]["invocation_id"] == small.run_id
    assert done.rollups["posts_weekly"] > 0
    assert done.questions == 5 * len(ROLLUPS)
    assert small.generations.read_service() == Service((done.generation_id,))
    assert read_phases(small) == ["clean", "judge", "copy", "roll up", "check", "seal", "point", "retire", "done"]


def test_answers_come_from_rollups_of_the_generation_and_say_so(small: Small) -> None:
    run(small)
    engine = Engine.open(small.project)
    assert engine.plan(["views"], ["metric_time__week"]).rollups == ("posts_weekly",)
    rolled = engine.query(["stamp", "posts"], ["metric_time__week"], order_by=["metric_time__week"])
    assert rolled.provenance.data_version == rolled.provenance.generation == engine.generation_id
    working = Engine.open(small.project, working=True)
    assert working.plan(["views"], ["metric_time__week"]).rollups == ()
    base = working.query(["stamp", "posts"], ["metric_time__week"], order_by=["metric_time__week"])
    assert (base.provenance.data_version, base.provenance.generation) == (small.run_id, None)
    assert rolled.to_arrow() == base.to_arrow()
    engine.close()
    working.close()


def test_definitions_that_make_another_rollup_do_not_read_the_one_that_is_there(small: Small, tmp_path: Path) -> None:
    run(small)
    text = (small.project / "target" / "semantic_manifest.json").read_text(encoding="utf-8")
    edited = tmp_path / "edited.json"
    edited.write_text(text.replace('"agg": "sum", "expr": "views"', '"agg": "sum", "expr": "views + 1"'), "utf-8")
    assert edited.read_text("utf-8") != text
    engine = Engine.open(small.project, manifest=edited)
    planned = engine.plan(["views"], ["metric_time__week"])
    assert planned.rollups == ()
    assert engine.query(["views"]).to_arrow().column("views")[0].as_py() == 2 * POSTS
    engine.close()


def test_hand_written_sql_reads_the_generation_and_no_rollup(small: Small) -> None:
    done = run(small)
    build_small(small.project, 2)
    door = SqlDoor.open(small.project)
    result = door.answer(door.price("select max(views) as views from fct_posts"))
    assert result.to_arrow().column("views").to_pylist() == [1]
    assert result.provenance.data_version == done.generation_id
    with pytest.raises(GnomonError, match="unknown table 'rollup_posts_weekly'"):
        door.price("select * from rollup_posts_weekly")
    door.close()


def test_the_same_build_is_not_published_twice(small: Small) -> None:
    first = run(small)
    again = run(small)
    assert (again.effect, again.generation_id) == (Effect.NOTHING_NEW, first.generation_id)
    assert small.generations.list_whole() == (first.generation_id,)


def test_the_last_few_are_kept_and_older_ones_go_when_nobody_reads_them(small: Small) -> None:
    ids = [run(small).generation_id]
    reader = Engine.open(small.project)
    for stamp in range(2, 5):
        done = run(build_small(small.project, stamp), keep=2)
        ids.append(done.generation_id)
    assert small.generations.read_service() == Service((ids[3], ids[2]))
    assert done.removed == (ids[1],)
    assert done.held == (ids[0],)
    assert reader.query(["stamp"]).to_arrow().column("stamp").to_pylist() == [1.0]
    reader.close()
    assert run(small, keep=1).removed == (ids[0], ids[2])
    assert small.generations.list_whole() == (ids[3],)


def test_keeping_fewer_makes_room_before_the_disk_is_asked(small: Small) -> None:
    ids = [str(run(build_small(small.project, stamp)).generation_id) for stamp in (1, 2, 3)]
    built = build_small(small.project, 4)

    def count_free(folder: Path) -> int:
        return 10**9 if not (folder / ids[0]).exists() else 0

    with pytest.raises(WarehouseError, match="are free"):
        run(built, free_space=count_free)
    assert run(built, keep=2, free_space=count_free).removed == (ids[0], ids[1])
    assert len(small.generations.list_whole()) == 2


def test_a_rollback_serves_the_one_before_and_the_next_build_goes_on_from_there(small: Small) -> None:
    first = run(small).generation_id
    second = run(build_small(small.project, 2)).generation_id
    assert roll_back(small.project, dry_run=True, environ={}).serving == first
    assert ask_stamp(small.project) == (2.0, second)
    back = roll_back(small.project, environ={})
    assert (back.withdrawn, back.serving) == (second, first)
    assert ask_stamp(small.project) == (1.0, first)
    assert [each.state for each in list_generations(small.project, environ={})] == ["withdrawn", "serving"]
    # A schedule leaves it so; who asks for it has it again.
    left = run(small, restores=False)
    assert (left.effect, left.generation_id) == (Effect.WITHDRAWN, second)
    assert ask_stamp(small.project) == (1.0, first)
    third = run(build_small(small.project, 3))
    assert small.generations.read_service() == Service((third.generation_id, first))
    assert third.removed == (second,)
    assert roll_back(small.project, environ={}).serving == first


def test_what_was_rolled_back_is_served_again_when_it_is_asked_for(small: Small) -> None:
    first = run(small).generation_id
    second = run(build_small(small.project, 2)).generation_id
    roll_back(small.project, environ={})
    again = run(small)
    assert (again.effect, again.generation_id) == (Effect.RESTORED, second)
    assert small.generations.read_service() == Service((second, first))
    assert ask_stamp(small.project) == (2.0, second)


def test_a_rollback_passes_over_what_cannot_be_read(small: Small) -> None:
    ids = [run(build_small(small.project, stamp)).generation_id for stamp in (1, 2, 3)]
    damaged = small.generations.locate(str(ids[1]))
    damaged.chmod(0o644)
    damaged.write_bytes(b"no database" * 1000)
    back = roll_back(small.project, environ={})
    assert (back.serving, back.skipped) == (ids[0], (ids[1],))
    listed = {each.generation_id: each for each in list_generations(small.project, environ={})}
    assert "not a DuckDB file" in str(listed[str(ids[1])].fault)
    with pytest.raises(WarehouseError, match="no generation before"):
        roll_back(small.project, environ={})


def test_a_dry_run_judges_and_writes_nothing(small: Small) -> None:
    done = run(small, dry_run=True)
    assert (done.effect, done.generation_id, done.tables) == (Effect.DRY, None, len(LAYERS) - 1)
    assert done.need is not None
    assert done.need.tables > 0
    assert not small.generations.folder.exists()
    published = run(small).generation_id
    before = {path: path.stat().st_mtime_ns for path in small.project.rglob("*")}
    assert run(small, dry_run=True).generation_id == published
    assert {path: path.stat().st_mtime_ns for path in small.project.rglob("*")} == before


def test_the_disk_is_asked_before_anything_is_written(small: Small) -> None:
    needed = run(small, dry_run=True).need
    assert needed is not None
    with pytest.raises(WarehouseError, match=r"needs up to 3\d\.\d MB here .* and 1\.0 MB are free"):
        run(small, free_space=lambda _: 10**6)
    assert small.generations.list_leftovers() == ()
    assert small.generations.list_whole() == ()
    assert run(small, free_space=lambda _: needed.total).effect is Effect.PUBLISHED


def test_the_disk_that_is_asked_for_is_enough(small: Small) -> None:
    done = run(small)
    assert done.need is not None
    assert done.size < done.need.total


def test_two_publishers_at_once_are_refused(small: Small) -> None:
    small.generations.folder.mkdir()
    with (
        hold_lock(small.generations.folder / "publish.lock", "publish"),
        pytest.raises(WarehouseError, match="another publish is at work"),
    ):
        run(small)


def test_what_a_dead_publisher_left_is_removed(small: Small) -> None:
    first = run(small).generation_id
    folder = small.generations.folder
    for name in (".making-g0009-20260301T000000-00000009", "g0008-20260301T000000-00000008"):
        (folder / name).mkdir()
        (folder / name / "part.duckdb").write_bytes(b"x")
    (folder / ".current-4242").touch()
    done = run(build_small(small.project, 2))
    assert done.generation_id == "g0009-20260301T000000-00000002"
    assert "g0008-20260301T000000-00000008" in done.removed
    assert {path.name for path in folder.iterdir() if path.is_dir()} == {first, done.generation_id}
    assert not (folder / ".current-4242").exists()


def refuse(small: Small, monkeypatch: pytest.MonkeyPatch) -> dict[str, Callable[[], object]]:
    """Each way in which a publish is refused, by name."""
    project = small.project
    hidden = [{"name": "medians", "grain": "day", "measures": ["median_views"]}]

    def tamper() -> Small:
        make = making.make_rollups

        def make_wrongly(path: Path, *rest: Any) -> dict[str, int]:
            rows = make(path, *rest)
            with duckdb.connect(str(path)) as connection:
                connection.execute("update rollup_posts_weekly set posts = posts + 1 where post__kind = 'video'")
            return rows

        monkeypatch.setattr(making, "make_rollups", make_wrongly)
        return build_small(project, 9)

    def lose_rows() -> None:
        monkeypatch.undo()
        monkeypatch.setattr(making, "make_rollups", drop_posts)
        run(build_small(project, 10))

    def drop_posts(path: Path, *_: Any) -> dict[str, int]:
        with duckdb.connect(str(path)) as connection:
            connection.execute("delete from fct_posts where post_id = 'p7'")
        return {}

    def publish_at_once() -> None:
        with hold_lock(small.generations.folder / "publish.lock", "publish"):
            run(build_small(project, 9))

    def change(*statements: str) -> None:
        built = build_small(project, 9)
        built.execute(*statements)
        run(built)

    def change_file(name: str, text: str) -> None:
        run(build_small(project, 9, dbt_manifest=text))

    return {
        "nothing is built": lambda: publish(project / "elsewhere", environ={}),
        "the build did not pass": lambda: run(build_small(project, 9, is_passed=False, status="error")),
        "the build was partial": lambda: run(build_small(project, 9, is_whole=False)),
        "a node is not in the record": lambda: change("delete from gnomon_build.nodes where node_id like '%regions'"),
        "written after the build": lambda: change("delete from fct_posts where post_id = 'p1'"),
        "no manifest of dbt": lambda: change("alter table gnomon_build.runs drop column dbt_manifest"),
        "another run's manifest": lambda: change_file("manifest", '{"metadata": {"invocation_id": "x"}, "nodes": {}}'),
        "not a manifest": lambda: change_file("manifest", "{"),
        "a column is missing": lambda: change("alter table fct_posts drop column weight"),
        "a declared column is missing": lambda: change("alter table dim_creators rename column tier to rank"),
        "a table is missing": lambda: change("drop table dim_creators"),
        "a rollup of no use": lambda: run(build_small(project, 9, rollups=hidden)),
        "a rollup of a name that is not there": lambda: run(
            build_small(project, 9, rollups=[{"name": "r", "grain": "day", "dimensions": ["post__knd"]}])
        ),
        "two rollups of one name": lambda: run(build_small(project, 9, rollups=[ROLLUPS[0], ROLLUPS[0]])),
        "a rollup answers otherwise": lambda: run(tamper()),
        "rows are lost": lose_rows,
        "another publish at work": publish_at_once,
        "no such limit of memory": lambda: publish(project, environ={"GNOMON_MEMORY_LIMIT": "lots"}),
        "no room": lambda: run(build_small(project, 9), free_space=lambda _: 5_000_000),
        "keep nothing": lambda: run(small, keep=0),
        "nothing before it": lambda: roll_back(project, environ={}),
        "nothing is published": lambda: roll_back(project / "elsewhere", environ={}),
    }


def test_every_refusal_names_its_cause_and_changes_nothing(
    small: Small, golden: Callable[[str, str], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    served = run(small).generation_id
    texts = []
    for name, call in refuse(small, monkeypatch).items():
        with pytest.raises((WarehouseError, DefinitionError, GnomonError)) as caught:
            call()
        texts.append(f"## {name}\n{plain(small, caught.value)}\n")
        assert ask_stamp(small.project) == (1.0, served), name
        assert small.generations.list_leftovers() == (), name
        assert small.generations.list_whole() == (served,), name
    golden("publish_refusals.txt", "\n".join(texts))


def plain(small: Small, error: GnomonError) -> str:
    """An error's text without what differs from run to run."""
    said = str(error).replace(str(small.project), "FOLDER").replace(f"process {os.getpid()}", "process N")
    return re.sub(r"(?<=a row is )\{.*?\}", "{…}", said)


def test_every_refusal_of_a_reader_says_how_to_go_on(small: Small, golden: Callable[[str, str], None]) -> None:
    served = str(run(small).generation_id)
    file, pointer = small.generations.locate(served), small.generations.folder / "current"
    house = EngineHouse(small.project)
    house.close()

    def ask_house() -> None:
        with house.engine():
            pass

    def damage_file() -> None:
        file.chmod(0o644)
        file.write_bytes(b"no database" * 1000)
        Engine.open(small.project)

    def remove_generation() -> None:
        shutil.rmtree(file.parent)
        Engine.open(small.project)

    def damage_pointer() -> None:
        pointer.write_text("{", encoding="utf-8")
        Engine.open(small.project)

    calls: dict[str, Callable[[], object]] = {
        "a closed house": ask_house,
        "a damaged file": damage_file,
        "a generation that is not there": remove_generation,
        "a damaged pointer": damage_pointer,
    }
    texts = []
    for name, call in calls.items():
        with pytest.raises(WarehouseError) as caught:
            call()
        texts.append(f"## {name}\n{plain(small, caught.value)}\n")
    golden("publish_readers.txt", "\n".join(texts))


def test_the_question_that_differs_is_named_with_both_answers(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    make = making.make_rollups

    def make_wrongly(path: Path, *rest: Any) -> dict[str, int]:
        rows = make(path, *rest)
        with duckdb.connect(str(path)) as connection:
            connection.execute("update rollup_posts_weekly set posts = posts + 1 where post__kind = 'live'")
        return rows

    monkeypatch.setattr(making, "make_rollups", make_wrongly)
    with pytest.raises(WarehouseError) as caught:
        run(small)
    said = str(caught.value)
    assert "rollup 'posts_weekly' answers otherwise than its table 'posts'" in said
    assert "Asked for posts, views, weights by metric_time__week" in said
    row = json.loads(said[said.index("{") : said.index("}") + 1])
    assert row["rolled posts"] == row["base posts"] + 1


def test_a_fault_of_the_disk_is_told_and_leaves_what_is_served(small: Small, monkeypatch: pytest.MonkeyPatch) -> None:
    served = run(small).generation_id
    built = build_small(small.project, 2)

    def fail(*_: Any) -> None:
        raise OSError(30, "Read-only file system", "somewhere")

    monkeypatch.setattr(publishing, "seal", fail)
    with pytest.raises(WarehouseError, match=r"somewhere: Read-only file system\. What was in service still is"):
        run(built)
    assert read_phases(built)[-1] == "failed"
    assert ask_stamp(small.project) == (1.0, served)
    assert small.generations.list_leftovers() == ()


# What waits ---------------------------------------------------------------------------------


def find_waiting(small: Small) -> str | None:
    engine = Engine.open(small.project)
    try:
        found = engine.find_waiting_build()
        return None if found is None else found.run_id
    finally:
        engine.close()


def test_a_newer_green_build_is_said_to_wait_until_it_is_published(small: Small) -> None:
    assert find_waiting(small) is None, "the working file answers"
    run(small)
    assert find_waiting(small) is None
    newer = build_small(small.project, 2)
    assert find_waiting(small) == newer.run_id
    run(small)
    assert find_waiting(small) is None


@pytest.mark.parametrize("record", [{"is_passed": False}, {"is_whole": False}])
def test_a_build_that_could_not_be_published_does_not_wait(small: Small, record: dict[str, bool]) -> None:
    run(small)
    build_small(small.project, 2, **record)
    assert find_waiting(small) is None


def test_a_build_that_was_rolled_back_does_not_wait(small: Small) -> None:
    run(small)
    build_small(small.project, 2)
    run(small)
    roll_back(small.project, environ={})
    assert ask_stamp(small.project)[0] == 1
    assert find_waiting(small) is None


def test_a_working_file_that_is_being_written_or_gone_is_not_waited_for(small: Small) -> None:
    run(small)
    build_small(small.project, 2)
    # A process of its own: the lock is a process's.
    writing = "import duckdb, sys; c = duckdb.connect(sys.argv[1]); print('open', flush=True); sys.stdin.read()"
    with subprocess.Popen(
        [sys.executable, "-c", writing, str(small.database)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline() == "open\n"
        assert find_waiting(small) is None
        builder.communicate()
    assert find_waiting(small) is not None
    small.database.unlink()
    assert find_waiting(small) is None


def test_the_words_beside_an_answer_name_the_build_that_waits(small: Small) -> None:
    run(small)
    newer = build_small(small.project, 2)
    command = [str(Path(sys.executable).parent / "gnomon"), "query", "stamp", "--project-dir", str(small.project)]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert told.returncode == 0, told.stderr
    last = told.stderr.splitlines()[-1]
    assert last.startswith("answer from definitions")
    assert last.endswith(
        f"; build {newer.run_id} as of 2026-03-01 00:00:00 UTC is newer and waits for `gnomon publish`"
    )
