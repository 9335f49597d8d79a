"""A share of the answers that rollups gave is made again from the tables, behind the requests' back.

One at a time, on the generation that answered, and only while no question waits. What cannot be done so is dropped
and counted: a check is a sample, and no request pays for it. A rollup that answers otherwise than its table is read
no more.
"""

from __future__ import annotations

import asyncio
import json
import logging
import random
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from starlette.concurrency import run_in_threadpool

from gnomon.core.errors import StoppedError
from gnomon.engine import Engine, WrongRollups
from gnomon.planner import Plan
from gnomon.warehouse import Interruption

if TYPE_CHECKING:
    from gnomon.serve.http.service import Service

_MOST_WAITING = 16
_LOOK_SECONDS = 0.05
_LOG = logging.getLogger("gnomon.serve")


@dataclass(frozen=True)
class _Taken:
    """An answer to be checked; `held` keeps the generation that it is of."""

    engine: Engine
    plan: Plan
    held: ExitStack


class RollupChecks:
    """Checks answers of one service, each with the probability `share`."""

    def __init__(self, share: float, rng: random.Random | None = None) -> None:
        self._share = share
        self._rng = rng or random.Random()
        self._waiting: asyncio.Queue[_Taken] | None = None

    def offer(self, service: Service, engine: Engine, plan: Plan) -> None:
        """Take an answer of this plan that has just been made, by chance; where it cannot be it is dropped."""
        if not plan.rollups or self._waiting is None or self._rng.random() >= self._share:
            return
        held = ExitStack()
        current = held.enter_context(service.house.engine(renews=False))
        if current is not engine or self._waiting.full():
            held.close()
            service.measures.rollup_checks.labels("dropped").inc()
            return
        self._waiting.put_nowait(_Taken(engine, plan, held))

    async def run(self, service: Service) -> None:
        """Check what was taken, until cancelled."""
        waiting = self._waiting = asyncio.Queue[_Taken](_MOST_WAITING)
        try:
            while True:
                taken = await waiting.get()
                with taken.held:
                    outcome = await _check(service, taken)
                service.measures.rollup_checks.labels(outcome).inc()
        finally:
            self._waiting = None
            while not waiting.empty():
                waiting.get_nowait().held.close()


async def _check(service: Service, taken: _Taken) -> str:
    """Return what came of a check: equal, different, dropped because somebody waited, or failed."""
    if service.gate.waiting:
        return "dropped"
    interruption, began = Interruption(), monotonic()
    checking = partial(taken.engine.check_rollups, taken.plan, interruption)
    running = asyncio.ensure_future(run_in_threadpool(checking))
    try:
        while not running.done():
            await asyncio.wait({running}, timeout=_LOOK_SECONDS)
            if service.gate.waiting or monotonic() - began > service.limits.seconds:
                interruption.stop()
        wrong = running.result()
    except StoppedError:
        return "dropped"
    except Exception as error:
        # Whatever it was, the checks that come after it are made.
        _LOG.warning("an answer from %s could not be checked: %r", ", ".join(taken.plan.rollups), error)
        return "failed"
    finally:
        # Nothing may run when the files are let go of.
        while not running.done():
            interruption.stop()
            await asyncio.wait({running}, timeout=_LOOK_SECONDS)
    if wrong is None:
        return "equal"
    _withdraw(service, taken, wrong)
    return "different"


def _withdraw(service: Service, taken: _Taken, wrong: WrongRollups) -> None:
    asked = {name: value for name, value in vars(taken.plan.question).items() if value not in ((), None, False, True)}
    _LOG.error(
        "rollup %s of %s answers otherwise than its table and is read no more until the next publish. Asked for %s, a "
        "row is %s",
        ", ".join(wrong.names),
        taken.engine.data_version,
        json.dumps(asked, default=str),
        json.dumps(dict(wrong.row), default=str),
    )
    try:
        taken.engine.withdraw(wrong.names, service.now())
    except OSError as error:
        _LOG.error("other programs go on reading it, as %s cannot be written: %s", error.filename, error.strerror)
