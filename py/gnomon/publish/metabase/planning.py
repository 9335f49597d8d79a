"""What an apply would do: a pure function of what is wanted, what is there, and what we remember of the last apply."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum
from typing import Any

from gnomon.core.errors import DefinitionError, join_names
from gnomon.publish.metabase.documents import Difference, Document, compare, document_of, list_wanted
from gnomon.publish.metabase.identity import Kind, Ref, digest
from gnomon.publish.metabase.needs import list_needs
from gnomon.publish.metabase.reading import Seen
from gnomon.publish.metabase.survey import Memory, ServerState
from gnomon.publish.metabase.wanted import Wanted
from gnomon.state import Remembered, Status

# What is put away comes after all that is made; what needs something goes before it.
_PUT_AWAY: tuple[Kind, ...] = ("subscription", "alert", "dashboard", "card", "group", "collection")
# What the server ties to its first card or dashboard for good.
_TIED: Mapping[Kind, str] = {"alert": "card", "subscription": "dashboard"}


class Effect(Enum):
    """What a step does. What is drifted stays as it is without --force."""

    CREATE = "create"
    UPDATE = "update"
    UNCHANGED = "unchanged"
    DRIFTED = "drifted"
    ORPHANED = "orphaned"


@dataclass(frozen=True)
class Step:
    """One thing of a plan. `can_be_forced` tells whether --force does anything about it."""

    ref: Ref
    name: str
    effect: Effect
    differences: tuple[Difference, ...] = ()
    why: str = ""
    is_wanted: bool = True
    can_be_forced: bool = True


@dataclass(frozen=True)
class Plan:
    """All steps, in the order in which they are done."""

    steps: tuple[Step, ...]

    def having(self, *effects: Effect) -> tuple[Step, ...]:
        """Return the steps of these effects."""
        return tuple(step for step in self.steps if step.effect in effects)

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that an apply without --force does."""
        return self.having(Effect.CREATE, Effect.UPDATE, Effect.ORPHANED)

    @property
    def drifted(self) -> tuple[Step, ...]:
        """The steps that an apply without --force leaves alone."""
        return self.having(Effect.DRIFTED)

    @property
    def is_empty(self) -> bool:
        """Tell whether everything is as wanted."""
        return not self.changes and not self.drifted


def make_plan(wanted: Wanted, state: ServerState, memory: Memory) -> Plan:
    """Return what is to be done; DefinitionError if an alert or a subscription is to be of something else."""
    things = list_wanted(wanted)
    remembered = {Ref(kind, key): thing for (kind, key), thing in memory.items()}  # type: ignore[arg-type]
    steps: list[Step] = []
    missing: dict[Ref, Step] = {}
    for ref, thing in things.items():
        step = _judge(ref, thing, wanted, state, remembered)
        if step.effect in (Effect.CREATE, Effect.UPDATE):
            step = _hold_back(
                step, [missing[each] for each in list_needs(ref, thing, wanted.database.key) if each in missing]
            )
        steps.append(step)
        # What is not there, and will not be; and a dashboard of other tiles than its subscriptions are to send.
        if step.effect is Effect.DRIFTED and (ref not in state.found or ref.kind == "dashboard"):
            missing[ref] = step
    orphans = [ref for ref in remembered if ref not in things]
    return Plan((*steps, *_put_away(orphans, state, remembered, steps)))


def plan_destruction(state: ServerState, memory: Memory) -> Plan:
    """Return what is to be put away of all that we made."""
    remembered = {Ref(kind, key): thing for (kind, key), thing in memory.items()}  # type: ignore[arg-type]
    return Plan(tuple(_put_away(list(remembered), state, remembered, ())))


def is_as_wanted(ref: Ref, seen: Seen, document: Document) -> bool:
    """Tell whether a thing is there as it is wanted."""
    if ref.kind == "database":
        there, wanted = seen.document, document
        details: Any = wanted.get("details", {})
        has: Any = there.get("details", {})
        same = all(there[name] == wanted[name] for name in ("name", "engine"))
        # The server adds details of its own.
        return same and all(has.get(name) == each for name, each in details.items())
    return not seen.is_archived and seen.document == document


def _judge(ref: Ref, thing: Any, wanted: Wanted, state: ServerState, remembered: Mapping[Ref, Remembered]) -> Step:
    name = getattr(thing, "name", None) or getattr(thing, "title", None) or ref.key
    seen, before = state.found.get(ref), remembered.get(ref)
    if ref in state.unclear:
        ids = ", ".join(f"#{each}" for each in state.unclear[ref])
        why = f"several have its name there ({ids}), and which is ours is not known. Rename or archive the others"
        return Step(ref, name, Effect.DRIFTED, why=why, can_be_forced=False)
    # What we archived may go with what it is of; and a table that went with one copy comes back with the next.
    if ref in state.gone and ref.kind != "table" and before is not None and before.status is Status.THERE:
        return Step(ref, name, Effect.DRIFTED, why="it was deleted there")
    if seen is None:
        return Step(ref, name, Effect.CREATE)
    document = document_of(ref, thing, wanted)
    if is_as_wanted(ref, seen, document):
        return Step(ref, name, Effect.UNCHANGED)
    differences = compare(seen.document, document)
    tied = _TIED.get(ref.kind)
    if tied and seen.document.get(tied) != document[tied]:
        raise DefinitionError(
            f"{ref} is of {tied} '{seen.document.get(tied)}' on the server, and Metabase never changes that. "
            f"Give it another key to have it of '{document[tied]}'."
        )
    effect, why = _tell_effect(ref, seen, before, document, remembered, wanted)
    lost = _list_lost_filters(ref, differences, state)
    if effect is Effect.UPDATE and lost:
        effect, why = Effect.DRIFTED, f"subscriptions set filters that go, and would be archived: {lost}"
    return Step(ref, name, effect, differences, why)


def _hold_back(step: Step, missing: Sequence[Step]) -> Step:
    """Return a step that is left as well where what it needs is left."""
    if not missing:
        return step
    needed = join_names(dict.fromkeys(each.name for each in missing), "and")
    return replace(
        step,
        effect=Effect.DRIFTED,
        why=f"it needs {needed}, which stays otherwise",
        can_be_forced=all(each.can_be_forced for each in missing),
    )


def _tell_effect(
    ref: Ref,
    seen: Seen,
    before: Remembered | None,
    document: Document,
    remembered: Mapping[Ref, Remembered],
    wanted: Wanted,
) -> tuple[Effect, str]:
    if before is None:
        if ref.kind == "table" and _is_untold(seen, document, remembered.get(Ref("database", wanted.database.key))):
            return Effect.UPDATE, ""
        return Effect.DRIFTED, "it is there already, not as wanted, and nothing is remembered of it"
    if before.status is Status.MAKING:
        return Effect.UPDATE, "it was begun and not finished"
    if seen.is_archived and before.status is Status.THERE:
        return Effect.DRIFTED, "it was archived there"
    if before.answered != digest(seen.document):
        return Effect.DRIFTED, "it was edited there"
    # What the server makes of some things is not what was sent, and stays so.
    if before.applied == digest(document) and before.status is Status.THERE:
        return Effect.UNCHANGED, ""
    return Effect.UPDATE, "it was archived by us" if before.status is Status.ARCHIVED else ""


def _is_untold(seen: Seen, wanted: Document, database: Remembered | None) -> bool:
    """Tell whether nobody has told the server anything of a table yet.

    Of a connection that we made it has read the comments of the copy, which say what is wanted.
    """
    reads_comments = database is not None and not database.parts.get("was_there")
    there: Any = seen.document.get("fields", {})
    ours: Any = wanted.get("fields", {})
    columns, own = {"": seen.document, **there}, {"": wanted, **ours}
    told = {name: each.get("description") for name, each in columns.items() if each.get("description")}
    return all(reads_comments and text == own.get(name, {}).get("description") for name, text in told.items())


def _list_lost_filters(ref: Ref, differences: tuple[Difference, ...], state: ServerState) -> str:
    filters: Any = next((each for each in differences if each.path == "parameters"), None)
    used = state.filtered.get(ref, {})
    if filters is None or not used:
        return ""
    kept = {each["key"] for each in filters.wanted or ()}
    lost = sorted({name for filter_, name in used.items() if filter_ not in kept})
    return join_names(lost, "and") if lost else ""


def _put_away(
    orphans: list[Ref], state: ServerState, remembered: Mapping[Ref, Remembered], before: Sequence[Step]
) -> Iterator[Step]:
    """Give the steps that archive what is no longer wanted, each after all that is in it.

    What is in a folder goes with it, so a folder stays as long as something in it does.
    """
    staying = [step for step in before if step.effect is Effect.DRIFTED]
    for kind in _PUT_AWAY:
        of_kind = [ref for ref in orphans if ref.kind == kind and remembered[ref].status is not Status.ARCHIVED]
        if kind == "collection":
            of_kind.sort(key=lambda ref: _depth(ref, state), reverse=True)
        for ref in of_kind:
            seen = state.found.get(ref)
            if seen is None:
                continue
            if seen.is_archived:
                yield Step(ref, remembered[ref].name, Effect.UNCHANGED, is_wanted=False)
                continue
            step = _put_one_away(ref, seen, remembered[ref], state, staying)
            if step.effect is Effect.DRIFTED:
                staying.append(step)
            yield step


def _put_one_away(ref: Ref, seen: Seen, remembered: Remembered, state: ServerState, staying: Sequence[Step]) -> Step:
    name = remembered.name or seen.name or ref.key
    inside = [step for step in staying if ref.kind == "collection" and _is_inside(step.ref, ref, state)]
    if foreign := state.foreign.get(ref):
        why = f"it is no longer wanted, but others keep {join_names(foreign, 'and')} in it, so it stays"
        return Step(ref, name, Effect.DRIFTED, why=why, is_wanted=False, can_be_forced=False)
    if inside:
        why = f"it is no longer wanted, but {join_names([step.name for step in inside], 'and')} in it stays"
        can_be_forced = all(step.can_be_forced for step in inside)
        return Step(ref, name, Effect.DRIFTED, why=why, is_wanted=False, can_be_forced=can_be_forced)
    if remembered.answered not in (None, digest(seen.document)):
        why = "it is no longer wanted, but it was edited there"
        return Step(ref, name, Effect.DRIFTED, why=why, is_wanted=False)
    return Step(ref, name, Effect.ORPHANED, why="it is no longer wanted", is_wanted=False)


def _is_inside(ref: Ref, collection: Ref, state: ServerState) -> bool:
    seen = state.found.get(ref)
    place = "parent" if ref.kind == "collection" else "collection"
    return seen is not None and seen.document.get(place) == collection.key


def _depth(ref: Ref, state: ServerState) -> int:
    seen = state.found.get(ref)
    above = seen.document.get("parent") if seen else None
    return 0 if above is None or above == ref.key else 1 + _depth(Ref("collection", str(above)), state)
