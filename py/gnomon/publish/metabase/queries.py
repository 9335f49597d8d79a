"""Queries in Metabase's own language: written in the form that every version takes, read in both that they answer.

The older form (MBQL 4) has `["field", id, options]`, the newer one (MBQL 5, since 0.57) stages and `["field", options,
id]`.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, cast, get_args

from gnomon.publish.metabase.identity import make_tag_id
from gnomon.publish.metabase.names import Names
from gnomon.publish.metabase.wanted import (
    Card,
    Equals,
    FieldTag,
    Floored,
    MetricQuery,
    NativeQuery,
    ParameterKind,
    Ratio,
    Sum,
    TableQuery,
)

_GRAINS = ("day", "week", "month")
_KINDS = get_args(ParameterKind)
# What the server puts into clauses for itself.
_OWN_OPTIONS = ("lib/uuid", "effective-type", "base-type")


@dataclass(frozen=True)
class OtherQuery:
    """A query that is none of ours, as the server says it."""

    text: str


Query = NativeQuery | TableQuery | MetricQuery | OtherQuery


class _NotOursError(Exception):
    """A query has another form than ours have."""


def write_query(card: Card, names: Names) -> dict[str, Any]:
    """Return a card's query with the server's ids; WarehouseError for a table or a field that it does not have."""
    query = card.query
    if isinstance(query, NativeQuery):
        tags = {
            tag.name: {
                "id": make_tag_id(card.key, tag.name),
                "name": tag.name,
                "display-name": tag.title,
                "type": "dimension",
                "dimension": ["field", names.id_of_field(tag.field), None],
                "widget-type": tag.kind,
            }
            for tag in query.tags
        }
        native = {"query": query.sql, "template-tags": tags}
        return {"database": names.database_id, "type": "native", "native": native}
    inner: dict[str, Any] = {"source-table": names.id_of_table(query.table)}
    if isinstance(query, MetricQuery):
        inner["aggregation"] = [_write_aggregate(query.aggregate, names)]
        conditions: list[Any] = [
            ["=", ["field", names.id_of_field(each.field), None], each.value] for each in query.filters
        ]
        if conditions:
            inner["filter"] = conditions[0] if len(conditions) == 1 else ["and", *conditions]
        inner["breakout"] = [["field", names.id_of_field(query.time), {"temporal-unit": query.grain}]]
    return {"database": names.database_id, "type": "query", "query": inner}


def read_query(answer: Mapping[str, Any], names: Names) -> Query:
    """Return the query of a card as the server says it, in either form."""
    try:
        if "stages" in answer or "lib/type" in answer:
            return _read_stages(answer, names)
        if answer.get("type") == "native":
            return _read_native(answer["native"].get("query"), answer["native"].get("template-tags"), names)
        return _read_structured(answer["query"], answer["query"].get("filter"), names)
    except (_NotOursError, KeyError, TypeError, ValueError, IndexError):
        return OtherQuery(json.dumps(_drop_own(answer), sort_keys=True, ensure_ascii=False))


def _write_aggregate(aggregate: Sum | Ratio | Floored, names: Names) -> list[Any]:
    if isinstance(aggregate, Sum):
        return ["sum", ["field", names.id_of_field(aggregate.field), None]]
    if isinstance(aggregate, Floored):
        is_enough = [">=", _write_aggregate(aggregate.units, names), aggregate.least]
        return ["case", [[is_enough, _write_aggregate(aggregate.value, names)]]]
    # Metabase's own division is null where it would be by 0.
    return ["/", _write_aggregate(aggregate.numerator, names), _write_aggregate(aggregate.denominator, names)]


def _read_stages(answer: Mapping[str, Any], names: Names) -> Query:
    [stage] = answer["stages"]
    if stage["lib/type"] == "mbql.stage/native":
        return _read_native(stage["native"], stage.get("template-tags"), names)
    conditions = stage.get("filters") or []
    return _read_structured(stage, conditions[0] if len(conditions) == 1 else ["and", *conditions], names)


def _read_native(sql: Any, tags: Any, names: Names) -> NativeQuery:
    if not isinstance(sql, str):
        raise _NotOursError
    found = [_read_tag(tag, names) for tag in (tags or {}).values()]
    return NativeQuery(sql, tuple(sorted(found, key=lambda tag: tag.name)))


def _read_tag(tag: Mapping[str, Any], names: Names) -> FieldTag:
    if tag["type"] != "dimension" or tag.get("widget-type") not in _KINDS or tag.get("default") is not None:
        raise _NotOursError
    _, _, [field_id] = _take_apart(tag["dimension"])
    kind = cast("ParameterKind", tag["widget-type"])
    return FieldTag(tag["name"], tag.get("display-name") or "", names.field_of(field_id), kind)


def _read_structured(query: Mapping[str, Any], condition: Any, names: Names) -> Query:
    known = {"source-table", "aggregation", "filter", "filters", "breakout", "lib/type"}
    if not set(query) <= known:
        raise _NotOursError
    table = names.table_of(query["source-table"])
    if not query.get("aggregation") and not query.get("breakout") and condition in (None, ["and"]):
        return TableQuery(table)
    [aggregation], [breakout] = query["aggregation"], query["breakout"]
    _, options, [time_id] = _take_apart(breakout)
    if options.get("temporal-unit") not in _GRAINS:
        raise _NotOursError
    grain = cast("Literal['day', 'week', 'month']", options["temporal-unit"])
    filters = tuple(_read_conditions(condition, names))
    return MetricQuery(table, _read_aggregate(aggregation, names), filters, names.field_of(time_id), grain)


def _read_aggregate(clause: Any, names: Names) -> Sum | Ratio | Floored:
    word, _, arguments = _take_apart(clause)
    if word == "aggregation-options":
        return _read_aggregate(arguments[0], names)
    if word == "case":
        [[[condition, value]]] = arguments
        asked, _, [units, least] = _take_apart(condition)
        shown, counted = _read_aggregate(value, names), _read_aggregate(units, names)
        if asked == ">=" and isinstance(counted, Sum) and not isinstance(shown, Floored) and isinstance(least, int):
            return Floored(shown, counted, least)
    if word == "/":
        above, below = (_read_aggregate(each, names) for each in arguments)
        if isinstance(above, Sum) and isinstance(below, Sum):
            return Ratio(above, below)
    if word != "sum":
        raise _NotOursError
    _, _, [field_id] = _take_apart(arguments[0])
    return Sum(names.field_of(field_id))


def _read_conditions(clause: Any, names: Names) -> Sequence[Equals]:
    if clause is None:
        return ()
    word, _, arguments = _take_apart(clause)
    if word == "and":
        return [each for argument in arguments for each in _read_conditions(argument, names)]
    if word != "=" or len(arguments) != 2:
        raise _NotOursError
    _, _, [field_id] = _take_apart(arguments[0])
    return [Equals(names.field_of(field_id), arguments[1])]


def _take_apart(clause: Any) -> tuple[str, Mapping[str, Any], list[Any]]:
    """Return a clause's word, its options and its arguments, wherever its form has them."""
    word, *rest = clause
    if not isinstance(word, str):
        raise _NotOursError
    options = next((each for each in rest if isinstance(each, Mapping)), {})
    arguments = [each for each in rest if not isinstance(each, Mapping)]
    if word == "field":
        arguments = [each for each in arguments if each is not None]
    return word, options, arguments


def _drop_own(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {key: _drop_own(each) for key, each in value.items() if key not in _OWN_OPTIONS}
    if isinstance(value, list):
        return [_drop_own(each) for each in value]
    return value
