"""Mail from Metabase: a dashboard each week, and a metric whose last period is on the wrong side of its target."""

from __future__ import annotations

import re
from typing import Literal, cast

from sqlglot import exp

from gnomon.dashboards.model import Dashboard, Mail, Tile
from gnomon.publish.metabase.making.intervals import HIGH, LOW
from gnomon.publish.metabase.making.queries import TileQuery
from gnomon.publish.metabase.wanted import Alert, Card, NativeQuery, Schedule, Subscription
from gnomon.publish.serving_copy.contents import DIALECT
from gnomon.publish.serving_copy.statements import Words, write

_PLACES = re.compile(r"\s*\[\[[^\]]*\]\]")
_Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]


def write_subscription(dashboard: Dashboard) -> Subscription | None:
    """Return the mail of a dashboard, if it is sent."""
    if dashboard.subscription is None:
        return None
    return Subscription(
        key=f"mail/{dashboard.name}",
        dashboard=f"page/{dashboard.name}",
        name=f"{dashboard.title}, each week",
        schedule=_write_schedule(dashboard.subscription),
        to=_list_addresses(dashboard, dashboard.subscription),
    )


def write_alert(dashboard: Dashboard, tile: Tile, card: Card, asked: TileQuery) -> tuple[Card, Alert] | None:
    """Return an alert, with the card of its own that has a row once there is cause for it.

    Metabase's own goals look at every period that is shown, and would tell of an old one each day. An estimate is
    beyond its target once its interval is, and never without one.
    """
    if tile.alert is None:
        return None
    metric = asked.metrics[0]
    told = metric.documentation
    assert asked.time is not None
    assert told.target is not None
    is_down = told.direction == "down"
    value: exp.Expr = exp.column(metric.name, quoted=True)
    if metric.name in asked.estimates:
        value = exp.column(metric.name + (LOW if is_down else HIGH), quoted=True)
    is_last = exp.GTE(this=exp.column(asked.time, quoted=True), expression=asked.reach.last_start)
    is_beyond = (exp.GT if is_down else exp.LT)(this=value, expression=exp.Literal.number(told.target))
    assert isinstance(card.query, NativeQuery)
    sql = write(
        "SELECT * FROM (\n{sql}\n) AS {periods} WHERE {is_last} AND {is_beyond}",
        sql=Words(_PLACES.sub("", card.query.sql)),
        periods="periods",
        is_last=Words(is_last.sql(DIALECT)),
        is_beyond=Words(is_beyond.sql(DIALECT)),
    )
    side = "above" if is_down else "below"
    own = Card(
        key=f"{card.key}/alert",
        kind="question",
        name=f"Alert: {tile.title}, {side} its target",
        description=f"Has a row once the last {asked.time.rpartition('__')[2]} is {side} {told.target:g}. "
        f"{card.description}",
        collection=card.collection,
        query=NativeQuery(sql),
        display="table",
        settings={"column_settings": card.settings.get("column_settings", {})},
        columns=card.columns,
    )
    to = _list_addresses(dashboard, tile.alert)
    return own, Alert(f"alert/{card.key}", own.key, "has_result", _write_schedule(tile.alert), to)


def _write_schedule(mail: Mail) -> Schedule:
    return Schedule(mail.hour, cast("_Weekday | None", mail.weekday))


def _list_addresses(dashboard: Dashboard, mail: Mail) -> tuple[str, ...]:
    return tuple(dict.fromkeys((dashboard.owner.email, *mail.to)))
