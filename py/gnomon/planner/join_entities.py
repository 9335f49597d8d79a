"""From names to columns: the joins that lead to an attribute, each once."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gnomon.core.errors import DefinitionError, explain_unknown
from gnomon.core.names import DimensionName, EntityName
from gnomon.planner.algebra import SPINE, Column, Join, Validity
from gnomon.planner.compiled import Attribute, Compiled
from gnomon.planner.expressions import is_plain
from gnomon.planner.references import Reference
from gnomon.semantic.grain import AnyGrain, CustomGrain
from gnomon.semantic.model import SemanticModel, TimeSpine


@dataclass
class Rows:
    """The joins that the columns of a scan need, each once."""

    joins: dict[str, Join] = field(default_factory=dict)

    def add(self, join: Join) -> None:
        """Add a join, unless it is there."""
        self.joins.setdefault(join.alias, join)

    def mark(self, alias: str) -> None:
        """Let the rows that a join finds say that they are there."""
        self.joins[alias] = replace(self.joins[alias], marks=True)

    @property
    def in_order(self) -> tuple[Join, ...]:
        """The joins, each after those that it hangs on."""
        return tuple(self.joins.values())


def find_key(metric: str, model: SemanticModel, name: str) -> str:
    """Return the SQL of an entity or a dimension of `model`."""
    found = model.entities.get(EntityName(name)) or model.dimensions.get(DimensionName(name))
    if found is None:
        unknown = explain_unknown("entity or dimension", name, [*model.entities, *model.dimensions])
        raise DefinitionError(f"metric '{metric}', semantic model '{model.name}': {unknown}")
    return found.expr


def read_attribute(
    compiled: Compiled,
    fact: SemanticModel,
    attribute: Attribute,
    reference: Reference,
    rows: Rows,
    moment: Column | None,
) -> Column:
    """Return the attribute's column, adding the joins that lead to it.

    Rows that count for a period only are joined as they are at `moment`, or all of them if it is None.
    """
    table = _join_hops(compiled, fact, attribute, rows, moment)
    is_marked = bool(attribute.hops) and not is_plain(attribute.expr)
    if is_marked:
        rows.mark(table)
    column = Column(
        table,
        attribute.expr,
        is_marked=is_marked,
        zone=attribute.zone,
        is_date=attribute.is_date,
        is_key=attribute.is_entity,
    )
    if reference.part is not None:
        return column._replace(part=reference.part)
    grain: AnyGrain | None = reference.grain or attribute.grain
    if isinstance(grain, CustomGrain):
        return _join_custom(column._replace(grain=grain.base), grain, reference.plain, rows)
    return column._replace(grain=grain)


def _join_hops(compiled: Compiled, fact: SemanticModel, attribute: Attribute, rows: Rows, moment: Column | None) -> str:
    table, model = str(fact.name), fact
    path = ""
    for place, hop in enumerate(attribute.hops, start=1):
        target = compiled.manifest.models[hop.model]
        path += f"__{hop.link}"
        alias = f"{path}__{target.name}"
        left = Column(table, hop.left, is_marked=model is not fact and not is_plain(hop.left))
        if left.is_marked:
            rows.mark(table)
        equal = [(left, Column(alias, hop.right))]
        equal += [
            (Column(table, own.expr, own.grain), Column(alias, right.expr, right.grain))
            for name, own in model.dimensions.items()
            if own.is_partition and (right := target.dimensions.get(name)) is not None and right.is_partition
        ]
        validity = None
        if target.validity is not None and moment is not None:
            start, end = target.dimensions[target.validity.start], target.dimensions[target.validity.end]
            validity = Validity(moment, Column(alias, start.expr, start.grain), Column(alias, end.expr, end.grain))
        rows.add(Join(alias, target.relation, tuple(equal), validity, hops=attribute.hops[:place]))
        table, model = alias, target
    return table


def _join_custom(column: Column, grain: CustomGrain, plain: str, rows: Rows) -> Column:
    alias = f"__{plain}__{grain.value}"
    rows.add(Join(alias, grain.relation, ((column, Column(alias, grain.base_column)),)))
    return Column(alias, grain.column)


def read_spine(spine: TimeSpine, reference: Reference, rows: Rows, leads: CustomGrain | None = None) -> Column:
    """Return a time's column of a spine; `leads` is the grain of the project's own by which it is shifted."""
    column = Column(SPINE, spine.column)
    if reference.part is not None:
        return column._replace(part=reference.part)
    grain = reference.grain
    if isinstance(grain, CustomGrain):
        if grain.relation == spine.relation and leads is None:
            return Column(SPINE, grain.column)
        return _join_custom(column._replace(grain=grain.base), grain, SPINE, rows)
    return column if grain is None or grain is spine.grain else column._replace(grain=grain)
