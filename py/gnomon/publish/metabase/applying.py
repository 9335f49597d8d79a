"""A plan carried out step by step, each remembered at once, so that what stops on its way can be gone on with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from gnomon.core.errors import GnomonError, WarehouseError
from gnomon.publish.metabase.documents import compare, document_of, list_wanted, show
from gnomon.publish.metabase.planning import Effect, Plan, Step, make_plan, plan_destruction
from gnomon.publish.metabase.sending import Sending
from gnomon.publish.metabase.survey import Survey
from gnomon.publish.metabase.syncing import Waiting
from gnomon.publish.metabase.transport import Transport
from gnomon.publish.metabase.wanted import Database, Wanted
from gnomon.state import MetabaseMemory, Remembered

# What the server changes by itself along with something else: a subscription loses the tiles of its dashboard, and goes
# with its filters; a new folder is open to whom the one above it is, and a new connection to everybody.
_SHAKES: Mapping[str, tuple[str, ...]] = {"subscription": ("dashboard",), "group": ("database", "collection")}


class StoppedApplyError(WarehouseError):
    """An apply stopped on its way; what it did before is remembered."""


@dataclass(frozen=True)
class Outcome:
    """What was planned and what was done of it; `notes` say where the server keeps something otherwise than sent."""

    plan: Plan
    done: tuple[Step, ...] = ()
    left: tuple[Step, ...] = ()
    notes: tuple[str, ...] = field(default=())


def read_plan(transport: Transport, wanted: Wanted, memory: MetabaseMemory) -> Plan:
    """Return what an apply would do; nothing is sent that changes anything."""
    before = memory.read()
    return make_plan(wanted, Survey(transport, wanted, before).run(), before)


def apply(
    transport: Transport,
    wanted: Wanted,
    memory: MetabaseMemory,
    waiting: Waiting,
    *,
    secrets: Mapping[str, str] | None = None,
    force: bool = False,
    on_step: Callable[[Step], None] = lambda step: None,
) -> Outcome:
    """Make the server as wanted. What people edited stays, unless it is forced.

    StoppedApplyError says at which step it stopped and why; applying again goes on from there. `secrets` are details of
    the connection, such as its password.
    """
    before = memory.read()
    survey = Survey(transport, wanted, before)
    plan = make_plan(wanted, survey.run(), before)
    transport.hide((secrets or {}).values())
    sending = Sending(transport, wanted, survey, memory, waiting, secrets or {})
    done: list[Step] = []
    left: list[Step] = []
    notes: list[str] = []
    for number, step in enumerate(plan.steps, start=1):
        with _Place(plan, number, step):
            if not _is_done(step, force):
                left.append(step)
                continue
            is_shaken = any(each.ref.kind in _SHAKES.get(step.ref.kind, ()) for each in done)
            if step.effect is Effect.UNCHANGED and not (is_shaken and not sending.is_still_wanted(step.ref)):
                if step.is_wanted:
                    sending.adopt(step.ref, step.name)
                else:
                    sending.remember_archived(step.ref, step.name, survey.state.found[step.ref])
                continue
            on_step(step)
            for other in plan.having(Effect.UNCHANGED, Effect.UPDATE):
                if step.ref.kind in _SHAKES.get(other.ref.kind, ()):
                    sending.unsettle(other.ref)
            notes += _do(step, wanted, survey, sending)
            done.append(step)
    return Outcome(plan, tuple(done), tuple(left), tuple(notes))


def read_destruction(transport: Transport, memory: MetabaseMemory) -> Plan:
    """Return what a destroy would put away."""
    before = memory.read()
    return plan_destruction(_survey_ours(transport, before)[1].state, before)


def destroy(
    transport: Transport,
    memory: MetabaseMemory,
    waiting: Waiting,
    *,
    force: bool = False,
    on_step: Callable[[Step], None] = lambda step: None,
) -> Outcome:
    """Archive all that we made, and nothing else. The connection stays: it cannot be archived, only deleted."""
    before = memory.read()
    nothing, survey = _survey_ours(transport, before)
    plan = plan_destruction(survey.state, before)
    sending = Sending(transport, nothing, survey, memory, waiting, {})
    done, left = [], []
    for number, step in enumerate(plan.steps, start=1):
        with _Place(plan, number, step):
            if not _is_done(step, force):
                left.append(step)
                continue
            if step.effect is Effect.UNCHANGED:
                sending.remember_archived(step.ref, step.name, survey.state.found[step.ref])
                continue
            on_step(step)
            sending.put_away(step.ref, step.name)
            done.append(step)
    return Outcome(plan, tuple(done), tuple(left))


def _survey_ours(transport: Transport, before: Mapping[tuple[str, str], Remembered]) -> tuple[Wanted, Survey]:
    """Return a survey of what we made, as of a project that wants nothing of it any more."""
    made = next((thing for (kind, _), thing in before.items() if kind == "database"), None)
    nothing = Wanted("", "", Database(made.key if made else "", made.name if made else "", "postgres", {}))
    survey = Survey(transport, nothing, before)
    survey.run()
    return nothing, survey


def _is_done(step: Step, force: bool) -> bool:
    return step.effect is not Effect.DRIFTED or (force and step.can_be_forced)


def _do(step: Step, wanted: Wanted, survey: Survey, sending: Sending) -> list[str]:
    if not step.is_wanted:
        sending.put_away(step.ref, step.name)
        return []
    is_there = step.ref in survey.state.found
    seen = sending.change(step.ref, step.name) if is_there else sending.make(step.ref, step.name)
    wanted_one = document_of(step.ref, list_wanted(wanted)[step.ref], wanted)
    if step.ref.kind == "database":
        return []
    lines = [line for each in compare(seen.document, wanted_one) for line in show(each)]
    return [f"{step.ref}: the server keeps it otherwise than it was sent: {line}" for line in lines]


class _Place:
    """Says in an error at which step it came."""

    def __init__(self, plan: Plan, number: int, step: Step) -> None:
        self._text = f"at {step.ref}, step {number} of {len(plan.steps)}"

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, GnomonError):
            raise StoppedApplyError(
                f"stopped {self._text}: {error} What was done before is remembered: the same command goes on from here."
            ) from error
