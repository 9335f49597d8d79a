"""An answer and where it comes from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from gnomon.measurement import Interval
from gnomon.semantic.model import Metric

if TYPE_CHECKING:
    import pandas as pd
    import pyarrow as pa


@dataclass(frozen=True)
class Suppressed:
    """How many rows of an answer are hidden, so that nothing in it stands on fewer than `least` of these `units`."""

    rows: int
    least: int
    units: tuple[str, ...]


@dataclass(frozen=True)
class Provenance:
    """Where an answer comes from.

    `definition_version` is a digest of the manifest; `data_version` the generation that
    answered, or of a working file the build that made the rows; `generation` is None then.
    `as_of` is the build's clock (UTC). `nulls` says for a metric why values are missing;
    `notes` is what a reader must know: immature days, companions to read beside, a build
    that did not pass. `suppressed` is None where the asker sees small cells.
    """

    definition_version: str
    data_version: str | None
    raw_set_id: str | None
    as_of: datetime | None
    nulls: Mapping[str, str] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    generation: str | None = None
    rollups: tuple[str, ...] = ()
    suppressed: Suppressed | None = None


@dataclass(frozen=True)
class Result:
    """Rows in the order asked for, one column per group-by and metric.

    Where small cells are hidden a last column, `is_suppressed`, is true in the rows without values.

    `units` has, for each metric that counts them, the column of units behind its values,
    row by row; `intervals` has, for each estimate, its 95 % interval row by row, None where
    there is none to be had. `metrics` are the definitions of the columns that are metrics.
    """

    table: pa.Table
    sql: str
    provenance: Provenance
    units: Mapping[str, pa.ChunkedArray] = field(default_factory=dict)
    intervals: Mapping[str, tuple[Interval | None, ...]] = field(default_factory=dict)
    metrics: tuple[Metric, ...] = ()

    def to_arrow(self) -> pa.Table:
        """Return the rows as an Arrow table."""
        return self.table

    def to_pandas(self) -> pd.DataFrame:
        """Return the rows as a pandas frame."""
        return self.table.to_pandas()
