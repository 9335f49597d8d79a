"""What a role may ask: its metrics, its rows, and no hidden attribute; decided on names, before anything is planned."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from gnomon.access import Policy
from gnomon.core.errors import AccessError, DefinitionError, QueryError, explain_unknown, join_names
from gnomon.planner import Compiled, Question
from gnomon.planner.comparisons import split_word
from gnomon.planner.references import Reference

_NAMES_SHOWN = 8


def restrict(compiled: Compiled, question: Question, policy: Policy) -> Question:
    """Return the question over the role's rows; AccessError for what it may not ask."""
    references = list(_list_references(compiled, question))
    asked = [split_word(compiled, word)[0] for word in question.metrics]
    asked += [reference.metric for reference in references if reference.metric is not None]
    for metric in asked:
        # An unknown name is refused as such, later and in the same words for everybody.
        if metric in compiled.manifest.metrics and not policy.sees(metric):
            raise AccessError(f"role '{policy.name}' may not ask for metric '{metric}'. {_list_metrics(policy)}")
    for reference in references:
        if reference.element in policy.hidden:
            raise AccessError(
                f"role '{policy.name}' may neither see nor filter by '{reference.plain}'. Ask by an attribute of it."
            )
    return replace(question, row_filters=policy.row_filters)


def check_policy(compiled: Compiled, policy: Policy) -> None:
    """Hold a role against the definitions; DefinitionError with every name that is not there, a line each."""
    problems = list(_find_problems(compiled, policy))
    if problems:
        raise DefinitionError("\n".join(problems))


def _list_references(compiled: Compiled, question: Question) -> Iterator[Reference]:
    yield from map(compiled.reference, (*question.group_by, *question.outer_filters))
    for text in question.where:
        yield from compiled.filter(text).references


def _list_metrics(policy: Policy) -> str:
    known = sorted(policy.metrics or ())
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
