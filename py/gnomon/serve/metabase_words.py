"""Words of `gnomon metabase`, for people and for programs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from gnomon.publish.metabase import Effect, Outcome, Plan, Ran, Step
from gnomon.publish.metabase.documents import show
from gnomon.serve.rendering import align

_SIGNS = {Effect.CREATE: "+", Effect.UPDATE: "~", Effect.DRIFTED: "!", Effect.ORPHANED: "-"}
_DONE = {Effect.CREATE: "made", Effect.UPDATE: "changed", Effect.DRIFTED: "overwritten", Effect.ORPHANED: "archived"}
_PLANNED = {
    Effect.CREATE: "to make",
    Effect.UPDATE: "to change",
    Effect.ORPHANED: "to archive",
    Effect.DRIFTED: "edited there, and kept",
    Effect.UNCHANGED: "as wanted",
}


def show_plan(plan: Plan) -> str:
    """Return a plan as a diff: what is there, and what would come of it. What is as wanted is left out."""
    return "\n".join(line for step in plan.steps if step.effect is not Effect.UNCHANGED for line in _show_step(step))


def tell_plan(plan: Plan) -> str:
    """Return how much of what a plan has."""
    counted = [(len(plan.having(effect)), words) for effect, words in _PLANNED.items()]
    text = ", ".join(f"{count} {words}" for count, words in counted if count) or "nothing was made there"
    return f"{text}. `gnomon metabase apply` does it." if plan.changes else f"{text}."


def tell_step(step: Step) -> str:
    """Return what is being done at this moment."""
    return f"{_SIGNS.get(step.effect, '~')} {step.ref}"


def tell_outcome(outcome: Outcome) -> str:
    """Return what was done, what was left, and what the server keeps otherwise."""
    counted = [(sum(step.effect is effect for step in outcome.done), words) for effect, words in _DONE.items()]
    text = ", ".join(f"{count} {words}" for count, words in counted if count)
    lines = [f"{text}." if text else "nothing was to do."]
    lines += [f"left as it is: {step.ref}: {step.why}.{_offer(step)}" for step in outcome.left]
    return "\n".join([*lines, *outcome.notes])


def describe_plan(plan: Plan) -> str:
    """Return a plan as JSON."""
    return json.dumps({"steps": [_describe(step) for step in plan.steps]}, indent=2, ensure_ascii=False, default=list)


def describe_outcome(outcome: Outcome) -> str:
    """Return what was done as JSON."""
    said = {
        "done": [_describe(step) for step in outcome.done],
        "left": [_describe(step) for step in outcome.left],
        "notes": outcome.notes,
    }
    return json.dumps(said, indent=2, ensure_ascii=False, default=list)


def show_runs(ran: Sequence[Ran]) -> str:
    """Return how each card ran."""
    return align(
        [
            ("card", [each.key for each in ran], False),
            ("rows", ["-" if each.error else str(each.rows) for each in ran], True),
            ("error", [each.error or "" for each in ran], False),
        ]
    )


def describe_runs(ran: Sequence[Ran]) -> str:
    """Return how each card ran as JSON."""
    return json.dumps([asdict(each) for each in ran], indent=2, ensure_ascii=False)


def _show_step(step: Step) -> list[str]:
    name = "" if step.name == step.ref.key else f" ({step.name})"
    why = f": {step.why}" if step.why else ""
    offer = _offer(step) if step.effect is Effect.DRIFTED else ""
    lines = [f"{_SIGNS[step.effect]} {step.ref}{name}{why}{'.' + offer if offer else ''}"]
    return lines + [f"    {line}" for each in step.differences for line in show(each)]


def _offer(step: Step) -> str:
    if not step.can_be_forced:
        return ""
    return " `--force` makes it as wanted." if step.is_wanted else " `--force` archives it all the same."


def _describe(step: Step) -> dict[str, Any]:
    return {
        "kind": step.ref.kind,
        "key": step.ref.key,
        "name": step.name,
        "effect": step.effect.value,
        "why": step.why,
        "differences": [asdict(each) for each in step.differences],
    }
