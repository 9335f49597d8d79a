"""Training cuts: the moments at which a model version is made, and the dates that it may score."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

# Cuts lie on a fixed calendar, a Monday and every `cut_days` from it. Tied to the first row of
# the data they would move, and every version with them, when older rows arrive.
_ANCHOR = datetime(1970, 1, 5)


@dataclass(frozen=True)
class Cut:
    """A training cut: the version made at `trained_at` scores dates in (trained_at, scores_until_at]."""

    trained_at: datetime
    scores_until_at: datetime


def list_cuts(first_at: datetime, clock: datetime, cut_days: int) -> tuple[Cut, ...]:
    """Return the cuts in [first_at, clock), oldest first; the last one scores until its full term."""
    step = timedelta(days=cut_days)
    number = -((_ANCHOR - first_at) // step)
    cuts = []
    while (trained_at := _ANCHOR + number * step) < clock:
        cuts.append(Cut(trained_at, trained_at + step))
        number += 1
    return tuple(cuts)


def find_term(moment: datetime, cut_days: int) -> Cut:
    """Return the cut whose term begins at `moment` or holds it: the one that scores what comes just after it."""
    step = timedelta(days=cut_days)
    trained_at = _ANCHOR + (moment - _ANCHOR) // step * step
    return Cut(trained_at, trained_at + step)


def name_version(
    model: str, trained_at: datetime, settings: Mapping[str, object], seed: int, features: Sequence[str]
) -> str:
    """Return MODEL@DATE+HASH, the hash over settings, seed and features: other choices, another version."""
    recipe = json.dumps([dict(settings), seed, list(features)], sort_keys=True)
    return f"{model}@{trained_at:%Y-%m-%d}+{hashlib.sha256(recipe.encode()).hexdigest()[:8]}"


def read_clock(clock: pd.DataFrame) -> tuple[datetime, datetime | None]:
    """Return from the one row of int_build__clock the build's moment and that of the last build, if any."""
    previous = clock["previous_as_of_at"].iloc[0]
    return clock["as_of_at"].iloc[0].to_pydatetime(), previous.to_pydatetime() if previous == previous else None


def strip_zone(moment: datetime) -> datetime:
    """Return `moment` in UTC without a zone, the form that every table here has."""
    return moment if moment.tzinfo is None else moment.astimezone(UTC).replace(tzinfo=None)
