"""Random filters over what a question's metrics reach."""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from datetime import date, datetime, timedelta

from tests.differential.catalog import Catalog, Item, write_list, write_literal

PARTS = {
    "quarter": range(1, 3), "month": range(1, 7), "day": range(1, 29), "dow": range(1, 8), "doy": range(1, 120),
}  # fmt: skip
Condition = tuple[str, frozenset[str]]
NEEDS = ("offset_window", "offset_to_grain", "cumulative_window", "cumulative_to_date")


class Conditions:
    """Writes filters for one question."""

    def __init__(
        self,
        rng: random.Random,
        catalog: Catalog,
        items: Sequence[Item],
        subqueries: Sequence[str],
        *,
        keeps_time_apart: bool = False,
    ) -> None:
        self.rng, self.catalog, self.items, self.subqueries = rng, catalog, items, subqueries
        self.keeps_time_apart = keeps_time_apart  # a filter on metric_time names nothing else
        self.clocks = {f"'{item.last_links}'" for item in items if item.is_clock}

    def write(self, wishes: frozenset[str]) -> list[Condition]:
        """Return filters with the features wished for, or fewer where the metrics do not reach so far."""
        wanted = {name for name in wishes if name.startswith("where_")}
        number = self.rng.choices([0, 1, 2], [55, 35, 10])[0]
        if wanted:
            number = max(number, 1)
        if "where_twice" in wanted:
            number = 2
        conditions: list[Condition] = []
        for _ in range(number):
            left = wanted - {name for _, used in conditions for name in used}
            condition = self._one(left)
            if condition:
                conditions.append(condition)
        if len(conditions) > 1:
            conditions[1] = (conditions[1][0], conditions[1][1] | {"where_twice"})
        return conditions

    def _one(self, wanted: set[str]) -> Condition | None:
        shapes = wanted & {"where_or", "where_null", "where_in"}
        subjects = sorted(wanted - shapes - {"where_twice"})
        first = self._leaf(subjects[:1], shapes)
        if first is None:
            return None
        second = None
        if len(subjects) > 1 or "where_or" in wanted or self.rng.random() < 0.25:
            second = self._leaf(subjects[1:2], shapes)
        if second is None or (self.keeps_time_apart and self._is_timed(first) != self._is_timed(second)):
            return first
        joined, features = (
            (" or ", {"where_or"}) if "where_or" in wanted or self.rng.random() < 0.5 else (" and ", set())
        )
        text = joined.join(f"({part})" if " and " in part or " or " in part else part for part in (first[0], second[0]))
        return text, first[1] | second[1] | features

    def _is_timed(self, condition: Condition) -> bool:
        return any(clock in condition[0] for clock in self.clocks)

    def _leaf(self, subjects: Sequence[str], shapes: set[str]) -> Condition | None:
        """Return one comparison of something that has the feature wished for."""
        subject = subjects[0] if subjects else None
        if subject == "where_metric" or (subject is None and self.rng.random() < 0.1):
            return self._metric()
        fitting = [item for item in self.items if subject is None or subject in _filter_features(item)]
        if not fitting:
            return None
        kind = self.rng.choice(
            sorted({(item.kind, bool(item.date_part), item.element == "metric_time") for item in fitting})
        )
        item = self.rng.choice(
            [item for item in fitting if (item.kind, bool(item.date_part), item.element == "metric_time") == kind]
        )
        text, shape = self._compare(item, shapes)
        return text, _filter_features(item) | shape

    def _metric(self) -> Condition | None:
        """Return a comparison of a metric per entity."""
        entities = [item for item in self.items if item.kind == "entity" and not item.links]
        self.rng.shuffle(entities)
        for item in entities:
            paths = [(name, path) for name in self.subqueries for path in self._paths(name, item)]
            if paths:
                # A metric by purchase__shopper is rarer than one by shopper.
                name, path = self.rng.choice([pair for pair in paths if "__" not in pair[1]] or paths)
                if self.rng.random() < 0.2:
                    name, path = self.rng.choice(paths)
                test = self.rng.choices(
                    ["> 0", ">= 1", "> 1", "is not null", "< 60", "<> 3", "is null"], [4, 4, 4, 2, 4, 4, 1]
                )[0]
                features = {"where_metric"} | ({"where_null"} if "null" in test else set())
                return f"{{{{ Metric('{name}', group_by=['{path}']) }}}} {test}", frozenset(features)
        return None

    def _paths(self, metric: str, entity: Item) -> list[str]:
        """Return how the metric can be grouped by the entity."""
        found = (item for item in self.catalog.items([metric]) if item.kind == "entity")
        return [item.name for item in found if item.element == entity.element]

    def _compare(self, item: Item, shapes: set[str]) -> Condition:
        said = item.reference
        if "where_null" in shapes or self.rng.random() < 0.12:
            # Many things are never NULL.
            test = "is null" if self.rng.random() < 0.15 else "is not null"
            return f"{said} {test}", frozenset({"where_null"})
        if item.date_part:
            return self._compare_part(item, said, shapes)
        values = self.catalog.examples(item)
        if not values:
            return f"{said} is not null", frozenset({"where_null"})
        if item.kind == "time":
            return self._compare_time(item, said, values, shapes)
        if isinstance(values[0], bool):
            wanted = self.rng.choice(["{0}", "not {0}", "{0} = true", "{0} in (true, false)"])
            wanted = "{0} in (true)" if "where_in" in shapes else wanted
            return wanted.format(said), frozenset({"where_in"} if " in " in wanted else ())
        if "where_in" in shapes or self.rng.random() < 0.25:
            chosen = self.rng.sample(values, min(len(values), self.rng.randrange(1, 6)))
            negated = "not " if self.rng.random() < 0.3 else ""
            return f"{said} {negated}in ({write_list(chosen)})", frozenset({"where_in"})
        value = self.rng.choice(values[:6])
        ways: list[Callable[[], str]] = [
            lambda: f"{said} <> {write_literal(value)}",
            lambda: f"{said} >= {write_literal(min(values))}",
            lambda: f"{said} < {write_literal(max(values))}",
            lambda: f"not ({said} = {write_literal(value)})",
        ]
        if item.kind == "category":
            ways.append(lambda: f"{said} = {write_literal(values[0])}")
        if isinstance(value, str):
            ways += [
                lambda: f"coalesce({said}, 'none') <> {write_literal(value)}",
                lambda: f"lower({said}) like '%{value[0].lower()}%'",
            ]
        else:
            ways += [
                lambda: f"{said} between 0 and {max(values)}",
                lambda: f"{said} % 2 = 0",
                lambda: f"{said} * 2 >= {min(values)}",
            ]
        return self.rng.choice(ways)(), frozenset()

    def _compare_part(self, item: Item, said: str, shapes: set[str]) -> Condition:
        year = self.catalog.world.shape.start.year
        values = [*PARTS.get(item.date_part or "", range(year - 1, year + 2))]
        if "where_in" in shapes or self.rng.random() < 0.4:
            chosen = sorted(self.rng.sample(values, max(2, len(values) * 2 // 3)))
            return f"{said} in ({write_list(chosen)})", frozenset({"where_in"})
        return f"{said} {self.rng.choice(['>=', '<>'])} {values[len(values) // 3]}", frozenset()

    def _compare_time(self, item: Item, said: str, values: Sequence[date | datetime], shapes: set[str]) -> Condition:
        moments = sorted(value if isinstance(value, datetime) else datetime(*value.timetuple()[:3]) for value in values)
        early, late = moments[len(moments) // 5], moments[-1 - len(moments) // 5]
        if "where_in" in shapes:
            # The starts of many periods, so that some are met.
            days = {moment.date() + timedelta(days=day) for moment in moments[:4] for day in range(10)}
            starts = {
                day.replace(day=1, month=month) for day in days for month in (1, day.month, day.month // 4 * 3 + 1)
            }
            return f"{said} in ({write_list(sorted(days | starts))})", frozenset({"where_in"})
        is_fine = item.grain in ("hour", "minute", "second", "millisecond")
        first, last = (early, late) if is_fine and self.rng.random() < 0.5 else (early.date(), late.date())
        if item.grain in ("month", "quarter", "year"):
            way = self.rng.choice(["{0} <= '{2}'", "{0} <> '{1}'", "{0} between '2000-01-01' and '{2}'"])
        else:
            way = self.rng.choice(["{0} >= '{1}'", "{0} < '{2}'", "{0} between '{1}' and '{2}'", "{0} <> '{1}'"])
        if "<>" in way:
            # DuckDB 1.5 keeps NULLs where a truncated time is compared so with what is no start of a period.
            first = _truncate(early, item.grain or "")
        return way.format(said, first, last), frozenset()


def _truncate(moment: datetime, grain: str) -> datetime:
    if grain in ("minute", "hour"):
        return moment.replace(minute=moment.minute if grain == "minute" else 0, second=0, microsecond=0)
    if grain in ("second", "millisecond"):
        return moment.replace(microsecond=0)
    day = datetime(moment.year, moment.month, moment.day)
    if grain == "week":
        return day - timedelta(days=day.weekday())
    months = {"month": day.month, "quarter": (day.month - 1) // 3 * 3 + 1, "year": 1}
    return day.replace(day=1, month=months[grain]) if grain in months else day


def _filter_features(item: Item) -> frozenset[str]:
    features = {f"where_{item.kind}"}
    if item.element == "metric_time":
        features.add("where_metric_time")
    if item.date_part:
        features.add("where_date_part")
    for name, own in (
        ("multi_hop", "multi_hop"),
        ("scd", "scd"),
        ("one_hop", "joined"),
        ("custom_grain", "custom_grain"),
    ):
        if name in item.features:
            features.add(f"where_{own}")
    return frozenset(features)
