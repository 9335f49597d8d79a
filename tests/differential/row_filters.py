"""Row filters over worlds, each beside the plain SQL that cuts the tables down by hand."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import duckdb

from tests.differential.features import list_measures
from tests.differential.shape import CATALOG, Shape
from tests.differential.tables import COLUMNS
from tests.differential.worlds import World

_INNER = re.compile(r"Metric\('(\w+)'")


@dataclass(frozen=True)
class RowFilter:
    """Row filters, and the condition on the rows of each table that says one of them; other tables stay whole.

    Only of `facts` something can be asked: they say all of them. Where `strict_about` stands in a question, it may
    be refused all the same.
    """

    texts: tuple[str, ...]
    conditions: Mapping[str, str]
    facts: frozenset[str]
    strict_about: str = "no such word"

    def fill(self, world: World, folder: Path) -> Path:
        """Write a copy of the world with the rows that pass, and return its file."""
        folder.mkdir()
        database = folder / f"{CATALOG}.duckdb"
        with duckdb.connect(str(database)) as connection:
            connection.execute(f"attach '{world.database}' as whole (read_only)")
            for table in (*COLUMNS, "days", "hours"):
                condition = self.conditions.get(table, "true")
                connection.execute(
                    f"create table {table} as select {table}.* from whole.main.{table} as {table} where {condition}"
                )
        return database

    def covers(self, models: set[str]) -> bool:
        """Tell whether every semantic model's table says the filter."""
        return {model.removesuffix("_model") for model in models} <= self.facts


def list_row_filters(shape: Shape) -> list[RowFilter]:
    """Return the row filters that a world of this shape has names for."""
    return [
        *_of_shoppers(shape),
        _write("{{ Dimension('visit__length') }} = 'long'", {"visits": "visits.seconds >= 300"}),
        _of_order_kind(shape),
        _of_stores(shape),
        *([_of_listings()] if shape.has_latest_listings else []),
    ]


def draw_row_filters(shape: Shape, rng: random.Random, number: int) -> list[RowFilter]:
    """Return so many row filters, each alone or two at once."""
    known = list_row_filters(shape)
    drawn = rng.sample(known, min(number, len(known)))
    return [_both(each, rng.choice(known)) if rng.random() < 0.3 else each for each in drawn]


def list_scanned(world: World, metrics: Sequence[str], where: Sequence[str] = ()) -> set[str]:
    """Return the semantic models whose rows a question adds up, inside filters too."""
    waiting = [*metrics, *_INNER.findall(" ".join(where))]
    seen: set[str] = set()
    models: set[str] = set()
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        waiting += _INNER.findall(str(world.metrics[name]))
        waiting += [used["name"] for used in world.metrics[name]["type_params"]["metrics"] or ()]
        waiting += [side["name"] for side in _sides(world.metrics[name]["type_params"])]
        measures = list_measures(world, name)
        models |= {
            model["name"] for model in world.models.values() for one in model["measures"] if one["name"] in measures
        }
    return models


def _sides(params: Mapping[str, Mapping[str, str]]) -> Iterator[Mapping[str, str]]:
    return (params[side] for side in ("numerator", "denominator") if params[side])


def _both(one: RowFilter, other: RowFilter) -> RowFilter:
    """Return the filter of the rows that pass two; a table that says only one of them is cut by that one."""
    if one == other or not one.facts & other.facts:
        return one
    tables = {*one.conditions, *other.conditions}
    conditions = {
        table: " and ".join(f"({each.conditions[table]})" for each in (one, other) if table in each.conditions)
        for table in tables
    }
    words = {one.strict_about, other.strict_about} - {RowFilter.strict_about}
    return RowFilter((*one.texts, *other.texts), conditions, one.facts & other.facts, *sorted(words))


def _write(text: str, conditions: Mapping[str, str], **more: str) -> RowFilter:
    return RowFilter((text,), conditions, frozenset(conditions), **more)


def _of_shoppers(shape: Shape) -> Iterator[RowFilter]:
    facts = ("orders", "visits", "balances", "memberships")
    month = (shape.start - timedelta(days=90)).replace(day=1)
    generation = "case when u.age < 25 then 'young' when u.age < 45 then 'middle' else 'old' end"
    for name, value, test in (
        ("Dimension('shopper__home')", "u.home", "{0} in ('ID', 'TH')"),
        ("Dimension('shopper__home')", "u.home", "{0} is null or {0} = 'ID'"),
        ("Dimension('shopper__generation')", generation, "{0} = 'old'"),
        ("Dimension('shopper__generation')", generation, "not {0} = 'old'"),
        ("TimeDimension('shopper__joined_on', 'month')", "date_trunc('month', u.joined_on)", f"{{0}} >= '{month}'"),
    ):
        conditions = {table: test.format(_look_up(value, "users u", f"u.user_id = {table}.user_id")) for table in facts}
        conditions["users"] = test.format(value.replace("u.", "users."))
        yield _write(test.format(f"{{{{ {name} }}}}"), conditions)
    keys = {table: f"{table}.user_id < 40" for table in (*facts, "users")}
    yield _write("{{ Entity('shopper') }} < 40", keys)
    near = "{0} in ('media', 'food')"
    company = _look_up("c.sector", "companies c", "c.company_id = users.company_id")
    text = near.format("{{ Dimension('company__sector') }}")
    yield _write(text, {"users": near.format(company), "companies": near.format("companies.sector")})
    far = {
        table: near.format(
            _look_up(
                "c.sector",
                f"companies c join {_whole('users u')} on u.company_id = c.company_id",
                f"u.user_id = {table}.user_id",
            )
        )
        for table in facts
    }
    text = near.format("{{ Dimension('company__sector', entity_path=['shopper']) }}")
    yield _write(text, far, strict_about="lister")


def _of_order_kind(shape: Shape) -> RowFilter:
    conditions = {"orders": "orders.order_kind <> 'web'"}
    if shape.orders_have_key:
        kind = _look_up("o.order_kind", "orders o", "o.order_id = refunds.order_id")
        conditions["refunds"] = f"{kind} <> 'web'"
    return _write("{{ Dimension('purchase__order_kind') }} <> 'web'", conditions)


def _of_stores(shape: Shape) -> RowFilter:
    keys = {"orders": ("'S' || orders.store_no", "orders.ds"), "balances": ("balances.store_code", "balances.as_of")}
    keys["visits"] = ("visits.store_code", "date_trunc('day', visits.visited_at)")
    conditions = {"stores": "stores.region = 'north'"}
    for table, (key, day) in keys.items():
        same = f"s.store_code = {key}" + (f" and s.ds = {day}" if shape.has_partition else "")
        conditions[table] = f"{_look_up('s.region', 'stores s', same)} = 'north'"
    return _write("{{ Dimension('store__region') }} = 'north'", conditions)


def _of_listings() -> RowFilter:
    test = "{0} <> 'audio'"
    conditions = {
        table: test.format(_look_up("l.category", "listings l", f"l.listing_id = {table}.listing_id"))
        for table in ("orders", "visits", "users", "listing_history")
    }
    conditions["listings"] = test.format("listings.category")
    return _write(test.format("{{ Dimension('listing__category') }}"), conditions)


def _look_up(value: str, source: str, same: str) -> str:
    """Return a value of the one row of another table that belongs to a row."""
    return f"(select {value} from {_whole(source)} where {same})"


def _whole(source: str) -> str:
    return f"whole.main.{source}"
