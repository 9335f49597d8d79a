"""Every card of Metabase, asked of a real Postgres with its filters empty and set: the engine's numbers."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from gnomon.dashboards.model import Distribution, Funnel
from gnomon.dashboards.periods import Days, keep_whole_periods
from gnomon.dashboards.words import OTHER, UNKNOWN
from gnomon.planner import Condition
from gnomon.publish.metabase.making.queries import DATES, TileQuery
from gnomon.publish.metabase.wanted import Card, Floored, MetricQuery, NativeQuery, Ratio, Sum, Wanted
from gnomon.publish.views.model import Role
from tests.copies import ask
from tests.journey.shown_copy import REFUSED, Shown

_PLACE = re.compile(r"\[\[(AND|OR) \{\{(\w+)\}\}\]\]")
MOST_UNREACHED = 16
CHOSEN_DAYS = 45


def read(shown: Shown, query: NativeQuery, **conditions: str) -> tuple[list[str], list[tuple[Any, ...]]]:
    rows = shown.session.read(fill(query, conditions))
    return list(rows.column_names), [tuple(row.values()) for row in rows.to_pylist()]


def fill(query: NativeQuery, conditions: Mapping[str, str]) -> str:
    """Put conditions at their places, and nothing at the others, as Metabase does."""
    return _PLACE.sub(lambda found: f"{found[1]} {conditions[found[2]]}" if found[2] in conditions else "", query.sql)


def write_condition(query: NativeQuery, tag: str, text: str) -> str:
    """Return what Metabase makes of a field filter: a condition over the column's full name."""
    field = next(each.field for each in query.tags if each.name == tag)
    return f'"{field.schema}"."{field.table}"."{field.column}" {text}'


def find_days(shown: Shown, asked: TileQuery) -> Days:
    """Return the days that a card is of by itself, worked out beside its SQL."""
    reach, today = asked.reach, shown.as_of.date()
    days = Days(today - timedelta(days=reach.back), today - timedelta(days=reach.immature))
    whole = keep_whole_periods(days, reach.grain) if reach.grain else days
    assert whole is not None
    return whole


def answer(
    shown: Shown, asked: TileQuery, where: Sequence[Condition], days: Days
) -> tuple[list[str], list[dict[str, Any]]]:
    """Return what the engine answers, by column, the ends of intervals among them."""
    ask_ = asked.ask
    result = shown.engine.query(
        ask_.metrics, ask_.group_by, where, ask_.order_by, start=days.first, end=days.last, top=ask_.top
    )
    rows = result.table.to_pylist()
    for place, row in enumerate(rows):
        for metric, ends in result.intervals.items():
            row[f"{metric}__low"] = ends[place].low if ends[place] else None
            row[f"{metric}__high"] = ends[place].high if ends[place] else None
        if ask_.top is not None:
            for name in ask_.group_by:
                if not name.startswith("metric_time__"):
                    row[name] = OTHER if row["is_other"] else UNKNOWN if row[name] is None else str(row[name])
    return list(asked.columns), rows


def assert_equal(shown: Shown, name: str, where: Sequence[Condition], days: Days, **conditions: str) -> int:
    """Hold a card's answer against the engine's; return how many rows it has."""
    _, tile, asked = shown.tiles[name]
    columns, rows = read(shown, asked.query, **conditions)
    assert columns == list(asked.columns)
    _, right = answer(shown, asked, where, days)
    match tile.content:
        case Funnel(steps=steps):
            expected = [(right[0][step],) for step in steps]
            rows = [(value,) for _, value in rows]
        case Distribution(metric=metric):
            counts: dict[Any, int] = {}
            (over,) = asked.ask.group_by
            for row in right:
                if row[metric] is not None and row[over] is not None:
                    counts[row[metric]] = counts.get(row[metric], 0) + 1
            expected = sorted(counts.items())
        case _:
            expected = [tuple(row[column] for column in asked.columns) for row in right]
    assert len(rows) == len(expected), f"{name}: {len(rows)} rows instead of {len(expected)}"
    for ours, theirs in zip(sorted(rows, key=key), sorted(expected, key=key), strict=True):
        assert all(is_equal(a, b) for a, b in zip(ours, theirs, strict=True)), f"{name}: {ours} instead of {theirs}"
    return len(rows)


def key(row: tuple[Any, ...]) -> tuple[str, ...]:
    return tuple(
        "" if value is None or isinstance(value, int | float | Decimal) else str(plain(value)) for value in row
    )


def plain(value: Any) -> Any:
    return value.date() if isinstance(value, datetime) else value


def is_equal(left: Any, right: Any) -> bool:
    if isinstance(left, int | float | Decimal) and isinstance(right, int | float | Decimal):
        return math.isclose(float(left), float(right), rel_tol=1e-9, abs_tol=1e-12)
    return bool(plain(left) == plain(right))


def test_every_tile_is_a_card_but_those_that_no_rollup_can_answer(shown: Shown) -> None:
    made = shown.wanted
    assert set(made.refused) == REFUSED
    assert len(made.dashboards) == 6
    cards = {card.key: card for card in made.cards}
    for board in made.dashboards:
        for place in board.dashcards:
            assert (place.card is None) != (place.text is None)
            assert place.card is None or set(place.wires.values()) == {tag.name for tag in tags_of(cards[place.card])}
            assert set(place.wires) <= {parameter.key for parameter in board.parameters}
    assert_names_are_of_columns(made)


def tags_of(card: Card) -> tuple[Any, ...]:
    return card.query.tags if isinstance(card.query, NativeQuery) else ()


def assert_names_are_of_columns(made: Wanted) -> None:
    """Every column that a setting names is one of the card's answer."""
    for card in made.cards:
        named = {
            name
            for word in ("graph.dimensions", "graph.metrics")
            for name in card.settings.get(word, ())  # type: ignore[union-attr]
        }
        for word in ("scalar.field", "funnel.dimension", "funnel.metric", "table.pivot_column", "table.cell_column"):
            named |= {card.settings[word]} if word in card.settings else set()
        settings = card.settings.get("column_settings", {})
        assert isinstance(settings, Mapping)
        named |= {word.removeprefix('["name","').removesuffix('"]') for word in settings}
        assert named <= set(card.columns), (card.key, named - set(card.columns))


def test_every_card_answers_as_the_engine_does_with_its_filters_empty(shown: Shown) -> None:
    rows = {name: assert_equal(shown, name, (), find_days(shown, asked)) for name, (_, _, asked) in shown.tiles.items()}
    assert len(rows) > 100
    assert [name for name, count in rows.items() if not count] == []


def test_every_card_answers_as_the_engine_does_with_each_filter_set(shown: Shown) -> None:
    asked_of = 0
    for name, (board, _, asked) in shown.tiles.items():
        for each in board.filters:
            tag = asked.wires.get(each.name)
            if tag is None:
                continue
            known = shown.engine.query(group_by=[tag]).table.column(0).to_pylist()
            values = [value for value in known if value is not None][:2]
            condition = write_condition(asked.query, tag, f"IN ({', '.join(repr(value) for value in values)})")
            where = [Condition(tag, "in", tuple(values))]
            assert_equal(shown, name, where, find_days(shown, asked), **{tag: condition})
            asked_of += 1
    assert asked_of > 100


def test_every_card_answers_as_the_engine_does_with_days_chosen(shown: Shown) -> None:
    """The days chosen may begin before the card's own; its last day stays, as later ones can still change."""
    asked_of = 0
    for name, (_, _, asked) in shown.tiles.items():
        tag = asked.wires.get(DATES)
        if tag is None:
            continue
        last = find_days(shown, asked).last
        first = date(2026, 3, 18)
        end = min(last, first + timedelta(days=CHOSEN_DAYS))
        condition = write_condition(asked.query, tag, f"BETWEEN date '{first}' AND date '{end}'")
        where = [Condition(tag, ">=", first.isoformat()), Condition(tag, "<=", end.isoformat())]
        assert_equal(shown, name, where, Days(date(2020, 1, 1), last), **{tag: condition})
        asked_of += 1
    assert asked_of > 100


def test_a_card_that_a_filter_cannot_reach_says_so_in_its_name(shown: Shown) -> None:
    cards = {card.key: card for card in shown.wanted.cards}
    unreached = 0
    for name, (_, _, asked) in shown.tiles.items():
        card = cards[name.replace(".", "/")]
        assert ("not filtered by" in card.name) == bool(asked.unreached)
        unreached += len(asked.unreached)
    assert 0 < unreached <= MOST_UNREACHED


def test_case_lists_are_filtered_by_what_was_clicked(shown: Shown) -> None:
    made = shown.wanted
    lists = {card.key: card for card in made.cards if card.key.startswith("cases/")}
    assert set(lists) == {"cases/fct_actions", "cases/fct_appeals", "cases/fct_violations"}
    clicks = [place.click for board in made.dashboards for place in board.dashcards if place.click is not None]
    assert any(click.sets for click in clicks)
    for card in lists.values():
        query = card.query
        assert isinstance(query, NativeQuery)
        columns, everything = read(shown, query)
        assert tuple(columns) == card.columns
        table = card.key.removeprefix("cases/")
        (counted,) = ask(shown.url, f"select count(*) as rows from gnomon.{table}")
        assert len(everything) == counted["rows"] > 0
        for tag in query.tags:
            condition = write_condition(query, tag.name, "IS NULL")
            missing = len(read(shown, query, **{tag.name: condition})[1])
            present = len(read(shown, query, **{tag.name: condition.replace("IS NULL", "IS NOT NULL")})[1])
            assert missing + present == len(everything)


def test_an_alert_has_a_row_once_its_last_period_is_beyond_the_target(shown: Shown) -> None:
    made = shown.wanted
    cards = {card.key: card for card in made.cards}
    assert {alert.card for alert in made.alerts} == {
        "risk_trends/content_rate_weekly/alert",
        "risk_trends/creator_rate_weekly/alert",
    }
    assert len(made.subscriptions) == 6
    for alert in made.alerts:
        name = alert.card.removesuffix("/alert").replace("/", ".")
        _, _, asked = shown.tiles[name]
        query = cards[alert.card].query
        assert isinstance(query, NativeQuery)
        _, rows = read(shown, query)
        _, expected = answer(shown, asked, (), find_days(shown, asked))
        last, (metric,) = expected[-1], asked.metrics
        # An estimate without an interval sets nothing off.
        bound = last[f"{metric.name}__low" if asked.estimates else metric.name]
        is_beyond = bound is not None and bound > metric.documentation.target
        assert len(rows) == int(is_beyond), (last, rows)


def test_every_metric_is_over_a_view_and_gives_the_engines_numbers(shown: Shown) -> None:
    """By week, and by week and one attribute; what has no row in the engine has no value here."""
    cards = [card for card in shown.wanted.cards if card.kind == "metric"]
    assert len(cards) > 60
    views = {view.name: view for view in shown.copy.contents.views.views}
    floored = 0
    for card in cards:
        query = card.query
        assert isinstance(query, MetricQuery)
        floored += isinstance(query.aggregate, Floored)
        name = card.key.removeprefix("metric/")
        view = views[query.table.table]
        attributes = [column.name for column in view.take(Role.ATTRIBUTE)]
        known = set(shown.engine.dimensions_of(name))
        for attribute in [None, *[each for each in attributes if each in known][:1]]:
            assert_metric(shown, name, query, attribute, is_filled=any(each.is_filled for each in view.columns))
    assert floored > 20


def assert_metric(shown: Shown, name: str, query: MetricQuery, attribute: str | None, *, is_filled: bool) -> None:
    groups = [f"date_trunc('{query.grain}', \"{query.time.column}\")", *([f'"{attribute}"'] if attribute else [])]
    places = ", ".join(str(place) for place in range(1, len(groups) + 1))
    sql = (
        f"select {', '.join(groups)}, {write_aggregate(query.aggregate)} as value "
        f'from "{query.table.schema}"."{query.table.table}" group by {places}'
    )
    asked = [tuple(row.values()) for row in shown.session.read(sql).to_pylist()]
    ours = {tuple(map(plain, row[:-1])): row[-1] for row in asked}
    by = [f"metric_time__{query.grain}", *([attribute] if attribute else [])]
    found = shown.engine.query([name], by).table.to_pylist()
    theirs = {tuple(plain(row[each]) for each in by): row[name] for row in found}
    for group in ours.keys() | theirs.keys():
        left, right = ours.get(group), theirs.get(group)
        if is_filled and None in (left, right) and not (left or right):
            continue  # what a definition fills with 0 has a row here or there
        assert is_equal(left, right), (name, group, left, right)


def write_aggregate(aggregate: Sum | Ratio | Floored) -> str:
    """Return Metabase's aggregate in SQL: its division is null where it would be by 0."""
    match aggregate:
        case Sum(field):
            return f'sum("{field.column}")'
        case Ratio(above, below):
            return f"cast({write_aggregate(above)} as double precision) / nullif({write_aggregate(below)}, 0)"
        case Floored(value, units, least):
            return f"case when {write_aggregate(units)} >= {least} then {write_aggregate(value)} end"
