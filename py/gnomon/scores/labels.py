"""Labels of creators as known at a moment: at least one upheld violation on what was posted next."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    import pandas as pd

VIOLATION_COLUMNS = ("creator_id", "posted_at", "upheld_at", "reversed_at")


def select_upheld(violations: pd.DataFrame, known_at: datetime) -> pd.DataFrame:
    """Return the violations on content that were upheld, and not reversed, as known at `known_at`."""
    is_upheld = violations["upheld_at"].notna() & (violations["upheld_at"] <= known_at)
    is_reversed = violations["reversed_at"].notna() & (violations["reversed_at"] <= known_at)
    return violations[is_upheld & ~is_reversed & violations["posted_at"].notna()]


def label_rows(
    rows: pd.DataFrame, violations: pd.DataFrame, known_at: datetime, horizon: timedelta
) -> npt.NDArray[np.bool_]:
    """Return, per row of creator_id and as_of_at, whether an upheld violation follows within `horizon`.

    It follows if its content was posted in (as_of_at, as_of_at + horizon]; what counts as upheld
    is what was known at `known_at`. In the order of `rows`.
    """
    import pandas as pd

    asked = pd.DataFrame(
        {
            "creator_id": rows["creator_id"].to_numpy(),
            "at": rows["as_of_at"].to_numpy().astype("datetime64[us]"),
            "place": np.arange(len(rows)),
        }
    ).sort_values("at", kind="stable")
    upheld = select_upheld(violations, known_at)
    posted_at = upheld["posted_at"].to_numpy().astype("datetime64[us]")
    known = pd.DataFrame({"creator_id": upheld["creator_id"].to_numpy(), "at": posted_at, "posted_at": posted_at})
    known = known.astype({"creator_id": asked["creator_id"].dtype}).sort_values("at", kind="stable")
    following = pd.merge_asof(
        asked, known, on="at", by="creator_id", direction="forward", allow_exact_matches=False, tolerance=horizon
    )
    is_positive = following.sort_values("place")["posted_at"].notna()
    return np.asarray(is_positive, dtype=np.bool_)
