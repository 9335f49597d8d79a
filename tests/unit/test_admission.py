"""Admission: so many run, so many wait, the others are told when to come back; answers are made once."""

from __future__ import annotations

import asyncio
from threading import Barrier, Event, Thread

import pytest

from gnomon.core.errors import QueryError, StoppedError
from gnomon.engine import Cache
from gnomon.serve.http.admission import BusyError, Gate


def test_one_more_than_may_wait_is_sent_away_and_the_others_come_in_turn() -> None:
    async def play() -> list[int]:
        gate, done, order = Gate(running=1, waiting=2), asyncio.Event(), []

        async def ask(number: int) -> None:
            async with gate:
                order.append(number)
                await done.wait()

        tasks = [asyncio.create_task(ask(number)) for number in range(3)]
        await asyncio.sleep(0)
        assert (order, gate.waiting) == ([0], 2)
        with pytest.raises(BusyError, match="Ask again in") as refused:
            await ask(3)
        assert refused.value.seconds >= 1
        done.set()
        await asyncio.gather(*tasks)
        return order

    assert asyncio.run(play()) == [0, 1, 2]


def test_who_goes_away_while_waiting_leaves_its_place() -> None:
    async def play() -> None:
        gate, done = Gate(running=1, waiting=1), asyncio.Event()

        async def ask() -> None:
            async with gate:
                await done.wait()

        first, second = asyncio.create_task(ask()), asyncio.create_task(ask())
        await asyncio.sleep(0)
        second.cancel()
        await asyncio.sleep(0)
        third = asyncio.create_task(ask())
        await asyncio.sleep(0)
        assert gate.waiting == 1
        done.set()
        await asyncio.gather(first, third)

    asyncio.run(play())


def test_many_who_ask_at_once_get_one_answer_that_is_made_once() -> None:
    cache, made, together = Cache[str, bytes](len), [], Barrier(8)
    got: list[bytes] = []

    def make() -> bytes:
        made.append(1)
        return b"answer"

    def ask() -> None:
        together.wait()
        got.append(cache.make("key", make))

    threads = [Thread(target=ask) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got == [b"answer"] * 8
    assert len(made) == 1
    assert cache.find("key") == b"answer"


def test_who_waited_for_a_question_that_was_stopped_makes_it_itself() -> None:
    cache, begun, goes_on = Cache[str, bytes](len), Event(), Event()
    got: list[object] = []

    def be_stopped() -> bytes:
        begun.set()
        goes_on.wait()
        raise StoppedError("stopped")

    def lead() -> None:
        try:
            cache.make("key", be_stopped)
        except StoppedError as error:
            got.append(str(error))

    leader = Thread(target=lead)
    leader.start()
    begun.wait()
    follower = Thread(target=lambda: got.append(cache.make("key", lambda: b"mine")))
    follower.start()
    goes_on.set()
    leader.join()
    follower.join()
    assert sorted(map(str, got)) == ["b'mine'", "stopped"]


def test_an_error_is_not_kept_and_what_is_too_large_is_not_either() -> None:
    cache = Cache[str, bytes](len, most_bytes=20_000)

    def fail() -> bytes:
        raise QueryError("no")

    with pytest.raises(QueryError):
        cache.make("key", fail)
    assert cache.make("key", lambda: b"x" * 30_000) == b"x" * 30_000
    assert cache.find("key") is None
    for number in range(10):
        cache.make(f"key {number}", lambda: b"x" * 1_000)
    assert cache.bytes <= 20_000
    assert cache.find("key 0") is None
    assert cache.find("key 9") == b"x" * 1_000
