"""A whole life on the fake: all is made, one of each kind is changed, all is put away and brought back."""

from __future__ import annotations

from dataclasses import replace

from gnomon.publish.metabase.wanted import NativeQuery, Wanted
from tests.metabase.bench import Bench


def change_one_of_each(wanted: Wanted) -> Wanted:
    """What is wanted, with one thing of every kind in another way, and one of most kinds gone."""
    card, *cards = wanted.cards
    commerce, _ = wanted.dashboards
    first, *tiles = commerce.dashcards
    return replace(
        wanted,
        database=replace(wanted.database, details={**wanted.database.details, "port": 5433}),
        tables=(replace(wanted.tables[0], title="Orders"), *wanted.tables[1:]),
        collections=tuple(replace(x, name="Ops") if x.key == "ops" else x for x in wanted.collections),
        cards=(replace(card, query=NativeQuery("select 1 as one")), *(x for x in cards if x.key != "gmv_total")),
        dashboards=(
            replace(
                commerce,
                dashcards=(
                    replace(first, text="Other words."),
                    *(replace(x, wires={}) if x.card == card.key else x for x in tiles if x.key != "by_tier"),
                ),
            ),
        ),
        alerts=tuple(replace(each, to=("other@example.com",)) for each in wanted.alerts),
        subscriptions=tuple(replace(each, schedule=replace(each.schedule, hour=5)) for each in wanted.subscriptions),
        groups=(replace(wanted.groups[0], reads=("ops",)),),
    )


def live(bench: Bench) -> None:
    """Have everything sent that can be sent."""
    bench.apply()
    bench.apply(change_one_of_each(bench.wanted))
    bench.apply()
    bench.destroy()
    bench.apply()
    assert bench.plan().is_empty
