"""What a role may ask: its metrics, its rows, and no hidden attribute; decided on names, before anything is planned.

A role with a smallest cell asks for numbers whose units can be counted, by groups and filters that are not one unit's.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gnomon.access import Policy, SmallestCell
from gnomon.core.errors import AccessError, DefinitionError, QueryError, explain_unknown, join_names, shorten
from gnomon.core.names import EntityName, MetricName
from gnomon.planner import Compiled, Question
from gnomon.planner.comparisons import split_word
from gnomon.planner.count_units import explain_uncounted
from gnomon.planner.filters import split
from gnomon.planner.references import Reference
from gnomon.semantic.model import SavedQuery

_NAMES_SHOWN = 8


def restrict(compiled: Compiled, question: Question, policy: Policy) -> Question:
    """Return the question over the role's rows; AccessError for what it may not ask."""
    references = list(_list_references(compiled, question))
    asked = [split_word(compiled, word)[0] for word in question.metrics]
    asked += [reference.metric for reference in references if reference.metric is not None]
    for metric in asked:
        # An unknown name is refused as such, later and in the same words for everybody.
        if metric in compiled.manifest.metrics and not policy.sees(metric):
            raise AccessError(
                f"role '{policy.name}' may not ask for metric '{metric}'. {_list_metrics(compiled, policy)}"
            )
    for reference in references:
        if not may_name(compiled, policy, reference):
            raise AccessError(
                f"role '{policy.name}' may neither see nor filter by '{reference.plain}'. Ask by an attribute of it."
            )
    if policy.smallest_cell is not None:
        _check_cells(compiled, question, policy)
        for metric in asked:
            why = _explain_uncounted(compiled, policy.smallest_cell, MetricName(metric))
            if why is not None:
                raise AccessError(
                    f"role '{policy.name}' sees no small cells, so it may not ask for metric '{metric}': {why}. "
                    f"{_list_metrics(compiled, policy)}"
                )
    return replace(question, row_filters=policy.row_filters, smallest_cell=policy.smallest_cell)


def sees(compiled: Compiled, policy: Policy, metric: MetricName) -> bool:
    """Tell whether a role may ask for a metric."""
    cell = policy.smallest_cell
    return policy.sees(metric) and (cell is None or _explain_uncounted(compiled, cell, metric) is None)


def may_ask(compiled: Compiled, policy: Policy, saved: SavedQuery) -> bool:
    """Tell whether a role may ask a saved query."""
    try:
        restrict(compiled, Question(saved.metrics, saved.group_by, saved.where), policy)
    except AccessError:
        return False
    except QueryError:
        # It is refused to everybody, in words of its own.
        return True
    return True


def may_name(compiled: Compiled, policy: Policy, reference: Reference) -> bool:
    """Tell whether a role may group and filter by a name: it is not hidden, and no key that says whose a row is."""
    if reference.element in policy.hidden:
        return False
    cell = policy.smallest_cell
    if cell is None or not compiled.is_entity(reference):
        return True
    entity = EntityName(reference.element)
    return entity not in cell.units and not any(
        found.is_entity and name.rsplit("__", 1)[-1] in cell.units
        for model in compiled.manifest.models.values()
        if model.identifies(entity)
        for name, attributes in compiled.closure(model).items()
        for found in attributes
    )


def _check_cells(compiled: Compiled, question: Question, policy: Policy) -> None:
    """Refuse a question from whose answer, whatever is hidden in it, a single unit could be told."""
    why = f"role '{policy.name}' sees no small cells, so"
    if question.takes_extremes:
        raise AccessError(f"{why} it may not ask for the least and the greatest: each is the value of a single row.")
    filters = [compiled.filter(text) for text in question.where]
    for each in filters:
        if any(reference.metric is not None for reference in each.references):
            raise AccessError(f"{why} it may not filter by a metric, whose values choose single units.")
        if any(len({reference.plain for reference in part.references}) > 1 for part in split(each)):
            raise AccessError(
                f'{why} each of its filters is about one attribute, and "{shorten(each.text)}" is about several. '
                "Write filters that all must hold, one by one."
            )
    if question.metrics:
        return
    names = {compiled.reference(word).plain for word in question.group_by}
    if len(names) > 1 or any(reference.plain not in names for each in filters for reference in each.references):
        raise AccessError(
            f"{why} it lists the values of one attribute at a time, filtered by itself alone: together they could be "
            "those of one unit. Add a metric, or ask for one."
        )


def _explain_uncounted(compiled: Compiled, cell: SmallestCell, name: MetricName) -> str | None:
    """Return why the units of a metric, or of what its floors are counted by, cannot be counted; None if they can."""
    manifest = compiled.manifest
    waiting, seen = [name], set[MetricName]()
    while waiting:
        metric = manifest.metrics.get(waiting.pop())
        if metric is None or metric.name in seen:
            continue
        seen.add(metric.name)
        waiting += [used.name for used in metric.inputs]
        waiting += [metric.documentation.units] if metric.documentation.units else []
        if metric.conversion is not None:
            return "conversions are pairs of rows"
        for used in metric.measures:
            why = explain_uncounted(manifest.model_of(used.name), compiled.measure(used.name), cell.units)
            if why is not None:
                return why
    return None


def check_policy(compiled: Compiled, policy: Policy) -> None:
    """Hold a role against the definitions; DefinitionError with every name that is not there, a line each."""
    problems = list(_find_problems(compiled, policy))
    if problems:
        raise DefinitionError("\n".join(problems))


def _list_references(compiled: Compiled, question: Question) -> Iterator[Reference]:
    yield from map(compiled.reference, (*question.group_by, *question.outer_filters))
    for text in question.where:
        yield from compiled.filter(text).references


def _list_metrics(compiled: Compiled, policy: Policy) -> str:
    known = [name for name in sorted(compiled.manifest.metrics) if sees(compiled, policy, name)]
    if not known:
        return "It may ask for none."
    if len(known) <= _NAMES_SHOWN:
        return f"It may ask for {join_names(known, 'and')}."
    shown = ", ".join(f"'{name}'" for name in known[:_NAMES_SHOWN])
    return f"It may ask for {shown} and {len(known) - _NAMES_SHOWN} more."


def _find_problems(compiled: Compiled, policy: Policy) -> Iterator[str]:
    where = f"access.yml: role '{policy.name}'"
    for metric in sorted(policy.metrics or ()):
        if metric not in compiled.manifest.metrics:
            yield f"{where}: {explain_unknown('metric', metric, compiled.manifest.metrics)}"
    if policy.smallest_cell is not None:
        entities = {entity for model in compiled.manifest.models.values() for entity in model.entities}
        for unit in policy.smallest_cell.units:
            if unit not in entities:
                yield f"{where}: {explain_unknown('entity', unit, entities)}"
    if not policy.hidden and not policy.row_filters:
        return
    elements = {name.rsplit("__", 1)[-1] for name in compiled.known}
    for element in sorted(policy.hidden - elements):
        yield f"{where}: {explain_unknown('attribute', element, elements)}"
    for text in policy.row_filters:
        try:
            references = compiled.filter(text).references
        except QueryError as error:
            yield f"{where}: {error}"
            continue
        for reference in references:
            if reference.plain not in compiled.known:
                yield f"{where}: {explain_unknown('dimension', reference.plain, compiled.known)}"
