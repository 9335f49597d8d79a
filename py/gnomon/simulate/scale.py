"""How large and how busy a world is: four named sizes, every number of which can be overridden."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from gnomon.core.errors import QueryError, explain_unknown

LEAST_DAYS = 7
LEAST_CREATORS = 10


@dataclass(frozen=True)
class Scale:
    """The numbers that make a world's size; rates are means per day.

    `reviews_per_week` counts the first reviews of all samples together.
    """

    days: int
    creators: int
    posts_per_creator: float
    impressions_per_creator: float
    clicks_per_view: float
    shop_clicks_per_creator: float
    reviews_per_week: int
    viewers_per_creator: float = 25 / 3

    @property
    def viewers(self) -> int:
        """Return how many viewers come in all, those of the planned days among them."""
        return round(self.creators * self.viewers_per_creator)


# Measured events in all (engagement rows): about 0.13 M, 1 M, 10 M and 100 M.
# The small worlds buy far more per view than any real platform, so that rates per order have orders.
SCALES: dict[str, Scale] = {
    "tiny": Scale(120, 300, 0.37, 1.9, 0.24, 0.33, 730),
    "small": Scale(90, 3_000, 0.30, 2.0, 0.12, 0.20, 2_000),
    "medium": Scale(90, 10_000, 0.24, 6.0, 0.04, 0.15, 4_000),
    "large": Scale(90, 32_000, 0.215, 18.9, 0.025, 0.10, 10_000),
}


def choose_scale(name: str, overrides: Mapping[str, float] | None = None) -> Scale:
    """Return a named scale with some of its numbers replaced.

    QueryError for an unknown name or number, and for a world too small to make sense.
    """
    if name not in SCALES:
        raise QueryError(explain_unknown("scale", name, SCALES))
    kinds = {field.name: field.type for field in fields(Scale)}
    values: dict[str, float | int] = {}
    for key, value in (overrides or {}).items():
        if key not in kinds:
            raise QueryError(explain_unknown("number of a scale", key, kinds))
        is_whole = kinds[key] == "int"
        if is_whole and not float(value).is_integer():
            raise QueryError(f"{key} {value}: is counted in whole numbers.")
        values[key] = int(value) if is_whole else float(value)
    scale = replace(SCALES[name], **values)  # type: ignore[arg-type]
    _check(scale)
    return scale


def _check(scale: Scale) -> None:
    if scale.days < LEAST_DAYS:
        raise QueryError(f"days {scale.days}: a world has at least {LEAST_DAYS} days, for it has a weekly season.")
    if scale.creators < LEAST_CREATORS:
        raise QueryError(f"creators {scale.creators}: a world has at least {LEAST_CREATORS} creators.")
    for field in fields(Scale):
        value = getattr(scale, field.name)
        if not 0 <= value < 10**9:
            raise QueryError(f"{field.name} {value}: a number of a scale is from 0 to under a thousand million.")
