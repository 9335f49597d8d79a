"""Random valid questions over a world, each with the features that it exercises."""

from __future__ import annotations

import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tests.differential.catalog import TIME, Catalog, Item
from tests.differential.conditions import NEEDS, Conditions
from tests.differential.features import OF_GROUPS, OF_METRICS, list_measures, read_metric
from tests.differential.limits import can_group, keep_filterable, keep_groupable

SUB_DAY = ("millisecond", "second", "minute", "hour")


@dataclass(frozen=True)
class Asked:
    """A question in MetricFlow's words.

    With a saved query's name the metrics and groups are the saved query's own; the rest is added to it.
    """

    metrics: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    limit: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    saved_query: str | None = None
    is_min_max: bool = False
    is_ordered: bool = False  # also where the order is the saved query's
    features: frozenset[str] = field(default_factory=frozenset)

    def __str__(self) -> str:
        shown = (
            f"{name}={value!r}"
            for name, value in vars(self).items()
            if value and name not in ("features", "is_ordered")
        )
        return f"{', '.join(shown)}\n-- {' '.join(sorted(self.features))}"


class Asker:
    """Draws questions over one world."""

    def __init__(self, rng: random.Random, catalog: Catalog) -> None:
        self.rng, self.catalog, self.world = rng, catalog, catalog.world
        self.features = {name: read_metric(self.world, name) for name in self.world.metrics}
        self.subqueries = [
            name
            for name, features in self.features.items()
            if not features.intersection(NEEDS) and not any("conversion" in feature for feature in features)
        ]

    def keep(self, metrics: Iterable[str]) -> None:
        """Ask for no other metrics from now on."""
        self.features = {name: self.features[name] for name in metrics}
        self.subqueries = [name for name in self.subqueries if name in self.features]

    def ask(self, wishes: Iterable[str] = (), tries: int = 40, *, in_objects: bool = False) -> Asked | None:
        """Return a question with the features wished for, or None where none was found.

        `in_objects` writes every group and order in the object form, as saved queries do.
        """
        wanted = frozenset(wishes)
        for _ in range(tries):
            asked = self._try(wanted, in_objects or self.rng.random() < 0.15)
            if asked is not None and wanted <= asked.features:
                return asked
        return None

    def _try(self, wishes: frozenset[str], in_objects: bool) -> Asked | None:
        is_bare = bool(wishes & {"distinct_values", "min_max"}) or (
            not wishes & set(OF_METRICS) and self.rng.random() < 0.06
        )
        metrics = () if is_bare else self._choose_metrics(wishes)
        features = {feature for name in metrics for feature in self.features[name]}
        items = keep_groupable(self.catalog.items(metrics), features)
        if is_bare:
            items = self._close_together(items, wishes)
        if not items:
            return None
        is_min_max = is_bare and ("min_max" in wishes or ("distinct_values" not in wishes and self.rng.random() < 0.3))
        groups = self._choose_groups(items, wishes, features, is_min_max=is_min_max, is_bare=is_bare)
        if groups is None or (is_bare and not groups):
            return None
        features |= {feature for item in groups for feature in item.features}
        filterable = keep_filterable(self.rng, items, groups, features)
        subqueries = [] if "offset_nested" in features else self.subqueries
        # MetricFlow compares shifted or unshifted times in a mixed filter, according to the grain that is asked for.
        is_shifted = any(name.startswith("offset") for name in features)
        writer = Conditions(self.rng, self.catalog, filterable, subqueries, keeps_time_apart=is_shifted)
        conditions = writer.write(wishes)
        features |= {feature for _, used in conditions for feature in used}
        has_one_time = sum(item.element == TIME for item in groups) == 1
        default = self._default_grain(metrics) if has_one_time else None
        names = tuple(self._name(item, features, default=default, in_objects=in_objects) for item in groups)
        asked = Asked(metrics, names, tuple(text for text, _ in conditions), is_min_max=is_min_max)
        asked = self._bound(self._order(asked, wishes, in_objects=in_objects), groups, wishes)
        return replace(asked, features=frozenset(features | _features_of_asking(asked, self)))

    def _choose_metrics(self, wishes: frozenset[str]) -> tuple[str, ...]:
        chosen: list[str] = []
        for wish in sorted(wishes & set(OF_METRICS)):
            if not any(wish in self.features[name] for name in chosen):
                chosen.append(self._metric_with(wish, wishes))
        number = self.rng.choices([1, 2, 3, 4], [50, 25, 15, 10])[0]
        if wishes & {"several_metrics", "several_models"}:
            number = max(number, 2)
        while len(chosen) < min(number, len(self.features)):
            name = self._metric_with(self.rng.choice(OF_METRICS), wishes)
            if name not in chosen:
                chosen.append(name)
        self.rng.shuffle(chosen)
        return tuple(chosen)

    def _metric_with(self, feature: str, wishes: frozenset[str]) -> str:
        fitting = [name for name, features in self.features.items() if feature in features]
        fitting = fitting or list(self.features)
        if "no_group" in wishes:
            fitting = [name for name in fitting if not self.features[name].intersection(NEEDS)] or fitting
        return self.rng.choice(fitting)

    def _choose_groups(
        self, items: Sequence[Item], wishes: frozenset[str], features: set[str], *, is_min_max: bool, is_bare: bool
    ) -> list[Item] | None:
        if "no_group" in wishes:
            return []
        chosen: list[Item] = []
        asked_for = sorted(wishes & set(OF_GROUPS), key=lambda name: (name != "metric_time", name))
        for wish in asked_for:
            if wish == "metric_time_default":
                wish = TIME  # named later
            if any(wish in item.features for item in chosen):
                continue
            fitting = [item for item in items if wish in item.features]
            if not fitting:
                return None
            best = [item for item in fitting if sum(w in item.features for w in asked_for) > 1]
            chosen.append(self.rng.choice(best or fitting))
        if features.intersection(NEEDS) and not any(item.element == TIME for item in chosen):
            times = [item for item in items if item.element == TIME and not item.date_part]
            if not times:
                return None
            chosen.append(self.rng.choice(times))
        number = self.rng.choices([0, 1, 2, 3], [12, 38, 32, 18])[0]
        if "several_groups" in wishes:
            number = max(number, 2)
        if is_min_max or (is_bare and not number):
            number = 1
        while len(chosen) < number:
            item = self._any_item(items)
            if item not in chosen:
                chosen.append(item)
            elif len(items) <= number:
                break
        if is_min_max and len(chosen) > 1:
            return None
        if len(chosen) > 3 or not can_group(chosen, features):
            return None
        self.rng.shuffle(chosen)
        return chosen

    def _close_together(self, items: Sequence[Item], wishes: frozenset[str]) -> tuple[Item, ...]:
        """Return items that one model has or reaches: without metrics MetricFlow joins no others."""
        fitting = [item for item in items if item.element != TIME and wishes.intersection(item.features)]
        anchor = self.rng.choice(fitting or items)
        return tuple(item for item in items if item.links[:1] == anchor.links[:1] or item.element == TIME)

    def _any_item(self, items: Sequence[Item]) -> Item:
        """Return one item; subjects are equally likely, so that grains and parts do not crowd out the rest."""
        if self.rng.random() < 0.3:
            times = [item for item in items if item.element == TIME]
            if times:
                return self.rng.choice([item for item in times if not item.date_part] or times)
        subject = self.rng.choice(sorted({item.subject for item in items}))
        return self.rng.choice([item for item in items if item.subject == subject])

    def _name(self, item: Item, features: set[str], *, default: str | None, in_objects: bool) -> str:
        if item.element == TIME and item.grain and item.grain == default and self.rng.random() < 0.5:
            features.add("metric_time_default")
            return f"TimeDimension('{TIME}')" if in_objects else TIME
        return item.object_name if in_objects or item.date_part else item.name

    def _default_grain(self, metrics: Sequence[str]) -> str:
        """Return the grain of metric_time where none is said: the coarsest of the metrics' own."""
        defaults = [self.world.metrics[name]["time_granularity"] or self._grain_of(name) for name in metrics]
        grains = (*SUB_DAY, "day", "week", "month", "quarter", "year")
        return max(["day", *defaults], key=grains.index)

    def _order(self, asked: Asked, wishes: frozenset[str], *, in_objects: bool) -> Asked:
        is_wished = bool(wishes & {"order_by", "order_descending", "limit"})
        if asked.is_min_max or not (is_wished or self.rng.random() < 0.3):
            return asked
        keys = list(asked.group_by)
        self.rng.shuffle(keys)
        metrics = tuple(f"Metric('{name}')" for name in asked.metrics) if in_objects else asked.metrics
        keys += self.rng.sample(metrics, self.rng.randrange(0, len(metrics) + 1)) if keys else metrics
        if self.rng.random() < 0.4:
            self.rng.shuffle(keys)
        is_down = [self.rng.random() < 0.4 for _ in keys]
        if "order_descending" in wishes:
            is_down[0] = True
        order_by = tuple(_descend(key) if down else key for key, down in zip(keys, is_down, strict=True))
        # A limit only with all groups in the order, which is always so here.
        limit = self.rng.randrange(1, 25) if "limit" in wishes or self.rng.random() < 0.5 else None
        return replace(asked, order_by=order_by, limit=limit, is_ordered=True)

    def _bound(self, asked: Asked, groups: Sequence[Item], wishes: frozenset[str]) -> Asked:
        if not ("time_range" in wishes or self.rng.random() < 0.15):
            return asked
        if not asked.metrics and not any(item.element == TIME and not item.date_part for item in groups):
            return asked  # there is no time to bound
        if any("offset_cumulative" in self.features[name] for name in asked.metrics):
            return asked
        is_renamed = any(item.is_clock and item.element != TIME for item in groups)
        if is_renamed and any(each.startswith("cumulative") for name in asked.metrics for each in self.features[name]):
            return asked  # it leaves out the rows before the range, from which the total has grown
        shape = self.world.shape
        begin = datetime(*shape.start.timetuple()[:3])
        first = begin + timedelta(days=self.rng.randrange(0, shape.days // 3))
        last = begin + timedelta(days=self.rng.randrange(shape.days // 2, shape.days))
        grains = [self._grain_of(name) for name in asked.metrics]
        if any(grain in SUB_DAY for grain in grains):
            # MetricFlow ends a range at midnight of its last day where metric_time is a day, coarser or not asked
            # for, and so loses the rest of that day; it has no ranges for milliseconds at all.
            finest = [item.grain for item in groups if item.element == TIME and item.grain]
            if "millisecond" in grains or not finest or not all(grain in SUB_DAY for grain in finest):
                return asked
            first, last = (
                first + timedelta(hours=self.rng.randrange(24)),
                last + timedelta(hours=self.rng.randrange(24)),
            )
        return replace(asked, start=first, end=last)

    def _grain_of(self, metric: str) -> str:
        """Return the finest grain of the times that the metric's measures count at."""
        grains: list[str] = []
        for name in list_measures(self.world, metric):
            for model in self.world.models.values():
                for measure in model["measures"]:
                    if measure["name"] == name:
                        time = measure["agg_time_dimension"] or model["defaults"]["agg_time_dimension"]
                        dimension = next(part for part in model["dimensions"] if part["name"] == time)
                        grains.append(dimension["type_params"]["time_granularity"])
        return min(grains, key=lambda grain: (*SUB_DAY, "day", "week", "month").index(grain))


def _descend(key: str) -> str:
    return f"-{key}" if "(" not in key else f"{key}.descending(True)"


def _features_of_asking(asked: Asked, asker: Asker) -> set[str]:
    models = {
        model["name"]
        for name in asked.metrics
        for used in list_measures(asker.world, name)
        for model in asker.world.models.values()
        if any(measure["name"] == used for measure in model["measures"])
    }
    tests = {
        "no_group": not asked.group_by,
        "several_groups": len(asked.group_by) > 1,
        "several_metrics": len(asked.metrics) > 1,
        "several_models": len(models) > 1,
        "order_by": bool(asked.order_by),
        "order_descending": any(key.startswith("-") or "descending" in key for key in asked.order_by),
        "limit": asked.limit is not None,
        "time_range": asked.start is not None,
        "distinct_values": not asked.metrics and not asked.is_min_max,
        "min_max": asked.is_min_max,
    }
    return {name for name, holds in tests.items() if holds}
