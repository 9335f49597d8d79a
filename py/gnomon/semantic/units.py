"""Values as people read them, by the unit of their metric."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

NO_VALUE = "-"

_FORMATS: dict[str, Callable[[float], str]] = {
    "rate": lambda value: f"{100 * value:.2f} %",
    "points": lambda value: f"{100 * value:+.2f} points",
    "count": lambda value: f"{value:,.0f}",
    "usd": lambda value: f"${value:,.2f}",
    "score": lambda value: f"{value:.1f}",
    "hours": lambda value: f"{value:.1f} h",
}


def format_value(value: Any, unit: str | None) -> str:
    """Return a value as people read it, by its unit."""
    if value is None:
        return NO_VALUE
    if isinstance(value, (int, float, Decimal)) and not isinstance(value, bool) and unit is not None:
        write = _FORMATS.get(unit)
        return write(float(value)) if write else f"{float(value):,.4g}"
    return str(value)
