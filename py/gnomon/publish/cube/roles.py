"""What each role of access.yml may see of each view; a role of which Cube cannot hold all is refused as a whole."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from gnomon.access import Policy
from gnomon.core.errors import QueryError
from gnomon.engine.permission import check_policy
from gnomon.planner import Compiled
from gnomon.planner.algebra import Condition, Restricted, Scan
from gnomon.publish.cube import model
from gnomon.publish.cube.model import View
from gnomon.publish.cube.planned import plan_restricted
from gnomon.publish.cube.root import SEGMENT_PREFIX
from gnomon.publish.cube.views import METRIC_TIME, Shown
from gnomon.publish.planned import Inexpressible, Planned

ROWS_PREFIX = "rows__"


@dataclass(frozen=True)
class _Grant:
    """What a role may not see of a view that it sees, and the rows that there are for it, of that scan."""

    excluded: tuple[str, ...]
    scan: Scan
    conditions: tuple[Condition, ...]


def share_views(
    compiled: Compiled, shown: Sequence[Shown], policies: Mapping[str, Policy]
) -> tuple[list[View], dict[str, str]]:
    """Return the views with what each role may see of them, and the reason of each role that is refused."""
    views = {each.view.name: each.view for each in shown}
    refused: dict[str, str] = {}
    named = 0
    for role, policy in sorted(policies.items()):
        check_policy(compiled, policy)
        try:
            grants = _share(compiled, shown, policy)
        except Inexpressible as reason:
            refused[role] = str(reason)
            continue
        rows = tuple(f"{ROWS_PREFIX}{named + place}" for place, _ in enumerate(policy.row_filters, start=1))
        named += len(rows)
        for each, grant in grants:
            view = views[each.view.name]
            for called, condition in zip(rows, grant.conditions, strict=True):
                view = _add_condition(each, view, grant.scan, condition, called)
            granted = model.Policy(role, grant.excluded, rows)
            views[view.name] = replace(view, policies=(*view.policies, granted))
    return [_hide_conditions(view) for view in views.values()], refused


def _hide_conditions(view: View) -> View:
    """Keep back from everybody what says which rows there are for a role."""
    hidden = tuple(dict.fromkeys(name for policy in view.policies for name in policy.rows))
    return replace(view, policies=tuple(replace(each, excluded=(*each.excluded, *hidden)) for each in view.policies))


def _add_condition(each: Shown, view: View, scan: Scan, condition: Condition, called: str) -> View:
    each.root.place(scan.joins)
    path = each.root.paths[each.root.place_condition(condition, called)]
    return replace(view, members={**view.members, path: (*view.members.get(path, ()), (called, called))})


def _share(compiled: Compiled, shown: Sequence[Shown], policy: Policy) -> list[tuple[Shown, _Grant]]:
    """Return what the role sees of each view that it sees; Inexpressible if Cube cannot hold the role to it."""
    if policy.per_minute is not None:
        raise Inexpressible(f"it may ask {policy.per_minute} questions a minute, and Cube sets no limit for a role")
    grants = [(each, _grant(compiled, each, policy)) for each in shown]
    for _, grant in grants:
        for condition in grant.conditions if grant else ():
            if len({column.table for column in condition.columns}) > 1:
                raise Inexpressible(
                    f'its row filter "{condition.filter.text}" speaks of several tables, and a member of Cube is of one'
                )
    return [(each, grant) for each, grant in grants if grant is not None]


def _grant(compiled: Compiled, each: Shown, policy: Policy) -> _Grant | None:
    """Return what a role may see of a view; None if it is nothing."""
    scans = {
        planned.metric.name: scan
        for planned in each.metrics
        if policy.sees(planned.metric.name) and (scan := _restrict(compiled, planned, (), policy)) is not None
    }
    if not scans:
        return None
    metrics = [planned for planned in each.metrics if planned.metric.name in scans]
    excluded = [str(planned.metric.name) for planned in each.metrics if planned not in metrics]
    attributes = [name for alias in each.root.cubes for name in each.root.attributes(alias)]
    for name in (METRIC_TIME, *attributes, *each.root.own.segments):
        attribute = name.removeprefix(SEGMENT_PREFIX)
        is_hidden = attribute.rsplit("__", 1)[-1] in policy.hidden
        is_of_all_rows = not policy.row_filters or any(
            _restrict(compiled, planned, (attribute,), policy) for planned in metrics
        )
        if is_hidden or not is_of_all_rows:
            excluded.append(name)
    scan = scans[metrics[0].metric.name]
    conditions = scan.tests[len(scan.tests) - len(policy.row_filters) :]
    return _Grant(tuple(excluded), scan, tuple(each for each in conditions if isinstance(each, Condition)))


def _restrict(compiled: Compiled, planned: Planned, groups: Sequence[str], policy: Policy) -> Scan | None:
    """Return the rows that a metric by some groups is of, for a role; None where Gnomon refuses it or cuts more.

    Where a joined table is cut down by itself, Cube's filter over the rows would be the weaker one.
    """
    try:
        scans = plan_restricted(compiled, planned.metric.name, groups, policy.row_filters)
    except QueryError:
        return None
    for scan in scans:
        if isinstance(scan.relation, Restricted) or any(isinstance(join.target, Restricted) for join in scan.joins):
            return None
    return scans[0]
