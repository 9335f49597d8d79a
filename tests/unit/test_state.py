"""Operational state: keys that are shown once, and a log that outlives the process that writes it."""

from __future__ import annotations

import errno
import fcntl
import os
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
import sqlalchemy as sa

from gnomon.core.errors import AccessError, QueryError, WarehouseError
from gnomon.state import Entry, KeyRing, QuestionLog, StateDatabase

NOW = datetime(2026, 6, 1, 12)


@pytest.fixture
def database(tmp_path: Path) -> StateDatabase:
    return StateDatabase.open(f"sqlite:///{tmp_path / 'state' / 'gnomon.db'}")


def make_entry(number: int) -> Entry:
    return Entry(NOW + timedelta(seconds=number), "key:ana", "analyst", {"metrics": [f"m{number}"]}, "answered", 0.01)


# Keys ---------------------------------------------------------------------------------------


def test_a_key_opens_until_it_is_revoked_or_expires(database: StateDatabase) -> None:
    ring = KeyRing(database)
    key, text = ring.make("ana", "analyst", NOW, days=30)
    assert ring.find(text, NOW) == key
    assert ring.find(text, NOW + timedelta(days=29, hours=23)).role == "analyst"
    with pytest.raises(AccessError, match="unknown, expired or revoked"):
        ring.find(text, NOW + timedelta(days=30))
    ring.revoke("ana", NOW + timedelta(days=1))
    with pytest.raises(AccessError, match="unknown, expired or revoked"):
        ring.find(text, NOW + timedelta(days=2))


def test_a_rotated_key_has_the_role_of_the_old_one_which_opens_nothing(database: StateDatabase) -> None:
    ring = KeyRing(database)
    _, old = ring.make("ana", "analyst", NOW)
    key, new = ring.rotate("ana", NOW)
    assert ring.find(new, NOW) == key
    assert key.role == "analyst"
    with pytest.raises(AccessError):
        ring.find(old, NOW)
    assert [each.is_good(NOW) for each in ring.list()] == [False, True] or len(ring.list()) == 2


def test_names_of_keys_are_unique_while_they_are_good_and_unknown_ones_are_told(database: StateDatabase) -> None:
    ring = KeyRing(database)
    ring.make("ana", "analyst", NOW, days=1)
    with pytest.raises(QueryError, match="gnomon keys rotate ana"):
        ring.make("ana", "analyst", NOW)
    ring.make("ana", "analyst", NOW + timedelta(days=2))
    with pytest.raises(QueryError, match="Did you mean 'ana'"):
        ring.revoke("anna", NOW + timedelta(days=2))
    with pytest.raises(QueryError, match="at least one day"):
        ring.make("ben", "analyst", NOW, days=0)


def test_no_secret_is_in_the_database(database: StateDatabase, tmp_path: Path) -> None:
    _, text = KeyRing(database).make("ana", "analyst", NOW)
    secret = text.split("_", 2)[2]
    with database.begin() as connection:
        rows = str(connection.execute(sa.text("select * from api_keys")).fetchall())
    assert secret not in rows
    assert all(secret.encode() not in path.read_bytes() for path in (tmp_path / "state").iterdir())


@pytest.mark.parametrize("text", ["", "gnomon", "gnomon_", "gnomon_x_y", "gnomon__", "other_a_b", "gnomon_%_%"])
def test_what_is_no_key_opens_nothing(database: StateDatabase, text: str) -> None:
    with pytest.raises(AccessError):
        KeyRing(database).find(text, NOW)


# The log ------------------------------------------------------------------------------------


def test_entries_reach_the_database_once_whoever_moves_them(database: StateDatabase, tmp_path: Path) -> None:
    logs = [QuestionLog(database, tmp_path / "spool") for _ in range(2)]

    def write(log: QuestionLog, first: int) -> None:
        for number in range(first, first + 200):
            log.add(make_entry(number))
            if number % 50 == 0:
                log.flush()

    writers = [Thread(target=write, args=(log, 1000 * place)) for place, log in enumerate(logs)]
    for writer in writers:
        writer.start()
    for writer in writers:
        writer.join()
    for log in logs:
        log.close()
    reader = QuestionLog(database, tmp_path / "spool")
    assert len(reader.read(1000)) == 400
    assert reader.read(1)[0]["question"] == {"metrics": ["m1199"]}
    reader.close()
    assert list((tmp_path / "spool").iterdir()) == []


def test_what_a_killed_process_logged_is_not_lost(tmp_path: Path) -> None:
    """Every entry whose writing returned is there after a kill; the one that was half written is counted."""
    url, spool = f"sqlite:///{tmp_path / 'gnomon.db'}", tmp_path / "spool"
    program = f"""
import os, signal
from datetime import datetime
from pathlib import Path
from gnomon.state import Entry, QuestionLog, StateDatabase
log = QuestionLog(StateDatabase.open({url!r}), Path({str(spool)!r}))
for number in range(500):
    log.add(Entry(datetime(2026, 6, 1), "a", "b", {{"metrics": [str(number)]}}, "answered", 0.0))
os.write(log._spool.descriptor, b'{{"half')
os.kill(os.getpid(), signal.SIGKILL)
"""
    killed = subprocess.run([sys.executable, "-c", program], check=False)
    assert killed.returncode == -9
    log = QuestionLog(StateDatabase.open(url), spool)
    log.flush()
    assert sorted(int(row["question"]["metrics"][0]) for row in log.read(1000)) == list(range(500))
    assert log.lost == 1
    log.close()


def test_the_log_waits_for_a_database_that_is_away(tmp_path: Path) -> None:
    database = StateDatabase.open(f"sqlite:///{tmp_path / 'gnomon.db'}")
    log = QuestionLog(database, tmp_path / "spool")
    with database.begin() as connection:
        connection.execute(sa.text("alter table question_log rename to elsewhere"))
    log.add(make_entry(1))
    with pytest.raises(WarehouseError, match="GNOMON_STATE"):
        log.flush()
    with database.begin() as connection:
        connection.execute(sa.text("alter table elsewhere rename to question_log"))
    log.flush()
    assert len(log.read()) == 1
    log.close()


def test_a_spool_that_was_moved_before_it_was_locked_is_not_written_to(
    database: StateDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the making of a file and its lock another process may find it, empty, and remove it."""
    spool, lock, moved = tmp_path / "spool", fcntl.flock, list[Path]()

    def move_first(file: Any, operation: int) -> None:
        if operation == fcntl.LOCK_EX and not moved:
            moved.extend(spool.iterdir())
            moved[0].unlink()
        lock(file, operation)

    monkeypatch.setattr(fcntl, "flock", move_first)
    log = QuestionLog(database, spool)
    log.add(make_entry(1))
    log.close()
    assert (len(moved), len(log.read())) == (1, 1)


def test_a_disk_that_takes_nothing_holds_up_nobody_and_is_written_to_when_it_does(
    database: StateDatabase, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log, write, is_full = QuestionLog(database, tmp_path / "spool"), os.write, True

    def write_some(descriptor: int, line: bytes) -> int:
        """As a disk with room for half a line, and then for none."""
        if is_full and b"m1" in line:
            raise OSError(errno.ENOSPC, "no space left")
        return write(descriptor, line[: len(line) // 2] if is_full else line)

    monkeypatch.setattr(os, "write", write_some)
    monkeypatch.setattr("gnomon.state.log._MOST_WAITING", 3)
    for number in range(5):
        log.add(make_entry(number))
    assert (log.waiting, log.lost) == (3, 2)
    is_full = False
    log.add(make_entry(5))
    assert (log.waiting, log.lost) == (0, 2)
    log.close()
    assert [row["question"]["metrics"] for row in log.read()] == [["m5"], ["m4"], ["m3"], ["m2"]]
    assert log.lost == 2


def test_a_spool_that_cannot_be_made_is_told_with_its_place(database: StateDatabase, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(WarehouseError, match="the log of questions cannot be written"):
        QuestionLog(database, tmp_path / "file" / "spool")


# The database -------------------------------------------------------------------------------


def test_a_database_of_another_version_or_form_is_refused_with_the_remedy(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path / 'gnomon.db'}"
    database = StateDatabase.open(url)
    with database.begin() as connection:
        connection.execute(sa.text("update schema_version set version = 99"))
    with pytest.raises(WarehouseError, match="another version of Gnomon"):
        StateDatabase.open(url)
    for wrong in ("", "nothing", "mysql+nodriver://x/y"):
        with pytest.raises(WarehouseError, match="sqlite:///PATH"):
            StateDatabase.open(wrong)
    (tmp_path / "text.db").write_text("no database, but long enough to be taken for one" * 100)
    with pytest.raises(WarehouseError, match="GNOMON_STATE"):
        StateDatabase.open(f"sqlite:///{tmp_path / 'text.db'}")
