"""The house of engines: a request keeps the generation that it began with, and none fails when one comes or goes."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from threading import Event, Thread

import duckdb
import pytest

from gnomon.core.errors import WarehouseError
from gnomon.engine import Engine, EngineHouse
from gnomon.publish import publish, roll_back
from tests.generations import Small, build_small

READERS, GENERATIONS = 3, 3


@pytest.fixture(autouse=True)
def _plain_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DBT_TARGET_PATH", "GNOMON_DATABASE", "GNOMON_GENERATIONS"):
        monkeypatch.delenv(name, raising=False)


def publish_stamp(project: Path, stamp: int, keep: int = 3) -> Small:
    small = build_small(project, stamp)
    publish(project, keep=keep, environ={})
    return small


def read_stamp(engine: Engine) -> float:
    return float(engine.query(["stamp"]).to_arrow().column("stamp")[0].as_py())


def test_a_request_ends_on_the_generation_that_it_began_with(tmp_path: Path) -> None:
    small = publish_stamp(tmp_path, 1)
    house = EngineHouse(tmp_path)
    with house.engine() as first:
        publish_stamp(tmp_path, 2, keep=1)
        with house.engine() as second:
            assert (read_stamp(first), read_stamp(second)) == (1.0, 2.0)
        assert read_stamp(first) == 1.0
        assert len(small.generations.list_whole()) == 2
    # Its last request has ended: nobody holds it, and the next publish removes it.
    assert publish(tmp_path, keep=1, environ={}).removed == (first.generation_id,)
    house.close()


def test_one_engine_serves_all_requests_of_a_generation(tmp_path: Path) -> None:
    publish_stamp(tmp_path, 1)
    house = EngineHouse(tmp_path)
    house.refresh()
    with house.engine() as first, house.engine() as second:
        assert first is second
    with house.engine() as third:
        assert third is first
    roll = publish_stamp(tmp_path, 2)
    with house.engine() as newer:
        assert newer is not first
    roll_back(roll.project, environ={})
    with house.engine() as older:
        assert read_stamp(older) == 1.0
    house.close()


def test_a_generation_that_cannot_be_opened_leaves_the_one_before_in_use(tmp_path: Path) -> None:
    publish_stamp(tmp_path, 1)
    house = EngineHouse(tmp_path)
    house.refresh()
    small = publish_stamp(tmp_path, 2)
    service = small.generations.read_service()
    assert service is not None
    damaged = small.generations.locate(service.serving)
    damaged.chmod(0o644)
    damaged.write_bytes(b"no database" * 1000)
    for _ in range(2):
        with house.engine() as engine:
            assert read_stamp(engine) == 1.0
        assert "not a DuckDB file" in str(house.trouble)
    (small.generations.folder / "current").write_text("{", encoding="utf-8")
    with house.engine() as engine:
        assert read_stamp(engine) == 1.0
    (small.generations.folder / "current").unlink()
    publish_stamp(tmp_path, 3)
    with house.engine() as engine:
        assert read_stamp(engine) == 3.0
    assert house.trouble is None
    house.close()


def test_the_working_file_is_open_only_while_it_is_asked(tmp_path: Path) -> None:
    small = build_small(tmp_path)
    house = EngineHouse(tmp_path)
    with house.engine() as engine:
        assert read_stamp(engine) == 1.0
        with house.engine() as again:
            assert again is engine
    with duckdb.connect(str(small.database)) as connection:  # as a build does
        connection.execute("update fct_posts set views = 5")
    with house.engine() as engine:
        assert read_stamp(engine) == 5.0
    house.close()


def test_a_closed_house_hands_out_nothing(tmp_path: Path) -> None:
    publish_stamp(tmp_path, 1)
    house = EngineHouse(tmp_path)
    with house.engine() as engine:
        house.close()
        assert read_stamp(engine) == 1.0
    with pytest.raises(WarehouseError, match="is closed"), house.engine():
        pass


def test_a_house_without_anything_built_says_so(tmp_path: Path) -> None:
    with pytest.raises(WarehouseError, match="no such DuckDB file"), EngineHouse(tmp_path).engine():
        pass


def test_readers_under_publishing_never_fail_and_never_mix_generations(tmp_path: Path) -> None:
    publish_stamp(tmp_path, 1)
    check_readers(tmp_path, GENERATIONS)


@pytest.mark.nightly
def test_readers_under_publishing_never_fail_and_never_mix_generations_at_length(tmp_path: Path) -> None:
    publish_stamp(tmp_path, 1)
    check_readers(tmp_path, 60)


def check_readers(project: Path, generations: int) -> None:
    """Ask from many threads, from rollups and from tables, while generations come and one is rolled back."""
    house, is_over = EngineHouse(project), Event()
    seen: Counter[int] = Counter()
    faults: list[BaseException] = []

    def read() -> None:
        try:
            while not is_over.is_set():
                with house.engine() as engine:
                    for metrics, group_by in ((["stamp", "posts", "views"], ["metric_time__week"]), (["stamp"], []),
                                              (["median_views"], ["creator__tier"])):  # fmt: skip
                        result = engine.query(metrics, group_by)
                        stamp = int(str(result.provenance.generation).rsplit("-", 1)[1], 16)
                        column = result.to_arrow().column(metrics[0]).to_pylist()
                        assert set(column) == {float(stamp)}, (result.provenance.generation, column)
                    seen[stamp] += 1
        except BaseException as error:
            faults.append(error)

    readers = [Thread(target=read) for _ in range(READERS)]
    for reader in readers:
        reader.start()
    try:
        for stamp in range(2, generations + 2):
            publish_stamp(project, stamp, keep=2)
            if stamp % 3 == 0:
                roll_back(project, environ={})
    finally:
        is_over.set()
        for reader in readers:
            reader.join()
        house.close()
    print(f"\nanswers by generation: {dict(sorted(seen.items()))}")
    assert not faults
    assert len(seen) > 1
    done = publish(project, keep=1, environ={})
    assert done.held == ()
