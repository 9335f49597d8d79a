"""Serving that is killed, alone or with a publish, at any moment: the next one serves the last good generation."""

from __future__ import annotations

import os
import random
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import closing, contextmanager
from functools import partial
from pathlib import Path

import pytest
import sqlalchemy as sa

from gnomon.publish import Effect, publish
from gnomon.state import StateDatabase
from tests.generations import Small, build_small
from tests.journey.test_publish_crash import KEEP, PHASES, kill_in, measure_phases, start
from tests.serving.asker import PATIENCE, Asker
from tests.serving.process import Server, run_server, start_server
from tests.serving.soak import read_stamp

# What serving can be doing apart from a publish, and how many seconds of it there are to be killed in.
OWN_PHASES = {"start": 3.0, "take up": 1.5, "stop": 0.5}
FEW = (("both", "point"), ("serve", "take up"))
KILLS = int(os.environ.get("GNOMON_SERVE_KILLS", "100"))


@contextmanager
def ask_all_the_while(server: Server) -> Iterator[Future[list[int]]]:
    """Ask a server until it is killed in the block."""
    with ThreadPoolExecutor(1) as pool:
        yield pool.submit(Asker(server.port).ask_until_gone)
        server.process.wait(PATIENCE)


def check_kills(project: Path, kills: Sequence[tuple[str, str]], seed: int) -> Counter[str]:
    rng, hits, answered = random.Random(seed), Counter[str](), 0
    spans = measure_phases(build_small(project, 1))
    served = 1
    for stamp, (victims, phase) in enumerate(kills, start=2):
        small = build_small(project, stamp)
        with run_server(project, "--anonymous", "owner") as server, ask_all_the_while(server) as asking:
            if phase in OWN_PHASES:
                hits[phase] += 1
                kill_in_own(small, server, phase, rng.uniform(0, OWN_PHASES[phase]))
            else:
                kill = partial(kill_both, server) if victims == "both" else partial(kill_server, server)
                hits[f"{victims} in {kill_in(small, phase, rng.uniform(0, spans[phase]), kill)}"] += 1
        assert set(asking.result()) <= {served, stamp}
        answered += len(asking.result())
        served = check_next_start(small, served, stamp)
        answered += 2
    # With nobody there, nothing is held, and nothing lies about.
    done = publish(project, keep=1, environ={})
    assert (done.held, small.generations.list_leftovers()) == ((), ())
    assert small.generations.list_whole() == (done.generation_id,)
    assert count_logged(project) >= answered
    print(f"\nkilled in: {', '.join(f'{name} {count}' for name, count in sorted(hits.items()))}; {answered} answers")
    return hits


def kill_server(server: Server, _: object = None) -> None:
    server.process.kill()


def kill_both(server: Server, publishing: subprocess.Popen[bytes]) -> None:
    kill_server(server)
    publishing.kill()


def kill_in_own(small: Small, server: Server, phase: str, seconds: float) -> None:
    """Kill a server that starts, or that takes up a generation, or that has been told to end."""
    if phase == "start":
        with start_server(small.project) as starting:
            wait(starting, seconds)
            starting.kill()
    if phase == "take up":
        with start(small) as publishing:
            assert publishing.wait(PATIENCE) == 0
        wait(server.process, seconds)
    if phase == "stop":
        server.process.terminate()
        wait(server.process, seconds)
    kill_server(server)


def check_next_start(small: Small, *stamps: int) -> int:
    """Start again: what the pointer names is served, the next generation is taken up, and old ones go."""
    for generation_id in small.generations.list_whole():
        assert not small.generations.is_held(generation_id), "a dead server holds it"
    service = small.generations.read_service()
    assert service is not None
    assert set(service.kept) <= set(small.generations.list_whole())
    with run_server(small.project, "--anonymous", "owner") as server, closing(Asker(server.port)) as asker:
        assert asker.ask() == read_stamp(service.serving)
        assert read_stamp(service.serving) in stamps
        done = publish(small.project, keep=KEEP, environ={})
        assert done.effect in (Effect.PUBLISHED, Effect.NOTHING_NEW)
        asker.ask_until(stamps[-1])
        assert small.generations.list_leftovers() == ()
        service = small.generations.read_service()
        assert service is not None
        assert set(small.generations.list_whole()) - set(service.kept) <= set(done.held)
    assert server.said == []
    return stamps[-1]


def count_logged(project: Path) -> int:
    """Return how many questions are in the log once a server that starts now has moved what dead ones left."""
    with run_server(project, "--anonymous", "owner") as server, closing(Asker(server.port)) as asker:
        asker.ask()
    assert not list((project / "state" / "spool").iterdir())
    database = StateDatabase.open(f"sqlite:///{project / 'state' / 'gnomon.db'}")
    with database.begin() as connection:
        count = connection.execute(sa.text("select count(*) from question_log where outcome = 'answered'")).scalar()
    database.close()
    assert count is not None
    return int(count)


def wait(process: subprocess.Popen[str], seconds: float) -> None:
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        return


def test_a_server_that_is_killed_is_followed_by_one_with_the_last_good_generation(served: Path) -> None:
    assert sum(check_kills(served, FEW, seed=7).values()) == len(FEW)


@pytest.mark.nightly
def test_servers_and_publishes_are_killed_a_hundred_times_in_every_phase(served: Path) -> None:
    kinds = [
        *((victims, phase) for phase in PHASES for victims in ("both", "serve")),
        *(("serve", p) for p in OWN_PHASES),
    ]
    hits = check_kills(served, [kinds[number % len(kinds)] for number in range(KILLS)], seed=8)
    if KILLS >= 100:
        assert {name.partition(" in ")[2] or name for name in hits} >= {*PHASES, *OWN_PHASES}
