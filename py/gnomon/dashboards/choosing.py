"""Which dashboards are asked for, and which values of their filters."""

from __future__ import annotations

from collections.abc import Sequence

from gnomon.core.errors import QueryError, explain_unknown
from gnomon.dashboards.model import Dashboard


def choose_dashboards(dashboards: Sequence[Dashboard], names: Sequence[str]) -> tuple[Dashboard, ...]:
    """Return the dashboards of these names, or all of them; QueryError with the nearest for an unknown one."""
    known = {each.name: each for each in dashboards}
    for name in names:
        if name not in known:
            raise QueryError(explain_unknown("dashboard", name, known))
    return tuple(each for each in dashboards if not names or each.name in names)


def read_choices(dashboards: Sequence[Dashboard], texts: Sequence[str]) -> dict[str, tuple[str, ...]]:
    """Return the values chosen of each filter, of texts NAME=VALUE.

    QueryError for a text that is none, and for a filter that none of the dashboards has.
    """
    known = {each.name for dashboard in dashboards for each in dashboard.filters}
    chosen: dict[str, tuple[str, ...]] = {}
    for text in texts:
        name, equals, value = text.partition("=")
        if not equals or not value:
            raise QueryError(f"--filter '{text}' says no value. Write NAME=VALUE, such as region=ID.")
        if name not in known:
            raise QueryError(f"--filter '{text}': {explain_unknown('filter', name, known)}")
        if value not in (values := chosen.get(name, ())):
            chosen[name] = (*values, value)
    return chosen
