"""A world on disk: every raw table, the truth beside them, and the record last of all."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from gnomon.core.contract import read_contract
from gnomon.core.names import TableName
from gnomon.core.raw_set import RawSet, make_folder, write_table
from gnomon.simulate.rows import Rows

TRUTH_FOLDER = "truth"


def write_world(out: Path, tables: dict[str, Rows], truth: dict[str, Rows], record: RawSet) -> None:
    """Write a raw set and its truth into `out`, or nothing.

    WarehouseError if `out` exists and is not empty, or if a table breaks the contract.
    """
    contract = read_contract()
    with make_folder(out) as folder:
        for name, rows in tables.items():
            write_table(folder, contract.tables[TableName(name)], _make_arrow(rows))
        (folder / TRUTH_FOLDER).mkdir()
        for name, rows in truth.items():
            pq.write_table(_make_arrow(rows), folder / TRUTH_FOLDER / f"{name}.parquet", compression="zstd")
        record.write(folder)


def _make_arrow(rows: Rows) -> pa.Table:
    return pa.table({name: _make_column(values) for name, values in rows.items()})


def _make_column(values: NDArray[Any]) -> pa.Array:
    data = np.ma.getdata(values)
    mask = np.ma.getmaskarray(values) if isinstance(values, np.ma.MaskedArray) else None
    if data.dtype.kind == "U":
        return pa.array(data.astype(object), type=pa.string(), mask=mask)
    return pa.array(data, mask=mask)
