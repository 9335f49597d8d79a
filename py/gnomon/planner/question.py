"""A question as it was asked."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from gnomon.access import SmallestCell
from gnomon.core.errors import QueryError, shorten

_MOST_CHARACTERS = 1_000


@dataclass(frozen=True)
class Question:
    """What a caller asks, in MetricFlow's names.

    `start` and `end` bound metric_time, both included. `row_filters` say which rows of the world there are for
    the asker: every table is read as if it held no others. `applies_floors` off answers as
    MetricFlow does, without the smallest number of units that a metric asks for. Without metrics
    the values of the groups are listed, or with `takes_extremes` the least and the greatest of one.
    With `top`, so many groups stay, ranked by the first metric of `order_by` (else the first metric,
    the greatest first), and all others are one group. Times and bounds are of `time_zone`, else of UTC.
    `outer_filters` are dimensions or entities by which a filter will be put into the SQL from outside.
    With `shows_parts` the answer gives the values that its metrics are made of, sums as they are read, in their place.
    With a `smallest_cell` the units behind every number are counted, so that small ones can be hidden.
    """

    metrics: tuple[str, ...] = ()
    group_by: tuple[str, ...] = ()
    where: tuple[str, ...] = ()
    order_by: tuple[str, ...] = ()
    limit: int | None = None
    start: datetime | None = None
    end: datetime | None = None
    applies_floors: bool = True
    takes_extremes: bool = False
    top: int | None = None
    time_zone: str | None = None
    row_filters: tuple[str, ...] = ()
    outer_filters: tuple[str, ...] = ()
    smallest_cell: SmallestCell | None = None
    shows_parts: bool = False


def check_question(question: Question) -> None:
    """Refuse what no name or number of rows can be, before anything is looked for; QueryError says which."""
    for name, count in (("limit", question.limit), ("top", question.top)):
        # True is a number to Python, and equal to 1.
        if count is not None and (type(count) is not int or count < 0):
            raise QueryError(f"{name} {count!r} is not a number of rows. Leave it out for all rows.")
    if question.shows_parts and question.takes_extremes:
        raise QueryError("the least and the greatest of a dimension are made of no other values. Ask for its values.")
    for word in (
        *question.metrics,
        *question.group_by,
        *question.order_by,
        *question.outer_filters,
        question.time_zone or "",
    ):
        if len(word) > _MOST_CHARACTERS:
            raise QueryError(f"'{shorten(word)}' has {len(word):,} characters, and {_MOST_CHARACTERS:,} are the most.")
