"""The folder of generations: a pointer that moves at once, leases that die with their holders, retention."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from datetime import datetime
from pathlib import Path

import pytest

from gnomon.core.errors import WarehouseError
from gnomon.warehouse import LEASE, Generations, Service, name_generation, read_number

OLD, NEW, NEWEST = (f"g000{n}-20260301T000000-0000000{n}" for n in (1, 2, 3))

HOLD = """
import sys
from pathlib import Path
from gnomon.warehouse.generations import Generations
lease = Generations(Path(sys.argv[1])).hold(sys.argv[2])
print("held" if lease else "gone", flush=True)
sys.stdin.read()
"""


@pytest.fixture
def generations(tmp_path: Path) -> Generations:
    for name in (OLD, NEW, NEWEST):
        (tmp_path / name).mkdir()
        (tmp_path / name / LEASE).touch()
    return Generations(tmp_path)


def test_an_id_says_its_number_its_moment_and_its_build() -> None:
    name = name_generation(7, datetime(2026, 6, 30, 12), "F26A907B-0395-43aa-9e21-06883b40cab2")
    assert name == "g0007-20260630T120000-f26a907b"
    assert read_number(name) == 7
    assert read_number(name_generation(12345, datetime(2026, 6, 30), "x")) == 12345
    assert read_number("readme") == 0


def test_the_pointer_says_what_was_written(generations: Generations) -> None:
    assert generations.read_service() is None
    assert generations.take() is None
    generations.write_service(Service((NEW, OLD), (NEWEST,)))
    assert generations.read_service() == Service((NEW, OLD), (NEWEST,))
    assert sorted(path.name for path in generations.folder.iterdir()) == sorted(["current", OLD, NEW, NEWEST])


def test_a_pointer_that_cannot_be_written_leaves_the_old_one(
    generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    generations.write_service(Service((OLD,)))

    def fail(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(OSError, match="No space"):
        generations.write_service(Service((NEW, OLD)))
    assert generations.read_service() == Service((OLD,))


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"kept": [], "withdrawn": []}', '{"kept": ["../../etc"], "withdrawn": []}', '{"kept": "g1"}',
     f'{{"kept": ["{OLD}"], "withdrawn": [], "more": 1}}'],
)  # fmt: skip
def test_a_damaged_pointer_is_refused_and_not_guessed_at(generations: Generations, text: str) -> None:
    (generations.folder / "current").write_text(text, encoding="utf-8")
    with pytest.raises(WarehouseError, match="Remove it and run `gnomon publish`"):
        generations.read_service()


def test_a_pointer_to_what_is_not_there_says_how_to_go_on(generations: Generations) -> None:
    generations.write_service(Service(("g0009-20260301T000000-00000009", OLD)))
    with pytest.raises(WarehouseError, match="'g0009-20260301T000000-00000009', is not there"):
        generations.take()


def test_a_generation_that_is_held_is_not_removed(generations: Generations) -> None:
    first, second = generations.hold(OLD), generations.hold(OLD)
    assert first is not None
    assert second is not None
    assert generations.is_held(OLD)
    assert not generations.remove(OLD)
    first.release()
    assert not generations.remove(OLD)
    second.release()
    assert not generations.is_held(OLD)
    assert generations.remove(OLD)
    assert generations.list_whole() == (NEW, NEWEST)
    assert generations.list_leftovers() == ()


def test_a_lease_on_what_has_just_gone_is_none(generations: Generations) -> None:
    assert generations.remove(OLD)
    assert generations.hold(OLD) is None


def test_the_lease_of_a_killed_reader_dies_with_it(generations: Generations) -> None:
    command = [sys.executable, "-c", HOLD, str(generations.folder), OLD]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as reader:
        assert reader.stdout is not None
        assert reader.stdout.readline() == "held\n"
        assert not generations.remove(OLD)
        reader.send_signal(signal.SIGKILL)
        reader.wait()
        assert generations.remove(OLD)


def test_a_reader_that_was_overtaken_takes_what_the_pointer_says_then(
    generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    generations.write_service(Service((OLD,)))
    hold, asked = Generations.hold, []

    def overtake(self: Generations, generation_id: str) -> object:
        asked.append(generation_id)
        if generation_id == OLD:
            self.write_service(Service((NEW,)))
            assert self.remove(OLD)
        return hold(self, generation_id)

    monkeypatch.setattr(Generations, "hold", overtake)
    lease = generations.take()
    assert lease is not None
    assert lease.generation_id == NEW
    assert asked == [OLD, NEW]
    lease.release()


def test_a_folder_that_loses_its_name_while_it_is_taken_is_not_served(
    generations: Generations, monkeypatch: pytest.MonkeyPatch
) -> None:
    import fcntl

    lock, path = fcntl.flock, generations.folder

    def remove_before(descriptor: int, operation: int) -> None:
        # As if a publisher removed it after the lease was opened and before it was locked.
        (path / OLD).rename(path / f".removing-{OLD}")
        lock(descriptor, operation)

    monkeypatch.setattr(fcntl, "flock", remove_before)
    assert generations.hold(OLD) is None


def test_leftovers_are_what_no_pointer_can_name(generations: Generations) -> None:
    folder = generations.folder
    for name in (f".making-{NEWEST}", f".removing-{OLD}"):
        (folder / name).mkdir()
    (folder / ".current-42").touch()
    (folder / "publish.lock").touch()
    assert [path.name for path in generations.list_leftovers()] == [
        ".current-42",
        f".making-{NEWEST}",
        f".removing-{OLD}",
    ]
    assert generations.list_whole() == (OLD, NEW, NEWEST)
