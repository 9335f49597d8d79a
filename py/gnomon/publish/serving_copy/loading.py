"""Loading a copy into a schema of its own, in one transaction: all of it is there, or nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING

from gnomon.core.errors import WarehouseError
from gnomon.publish.serving_copy.contents import STAMP, Contents, Part
from gnomon.publish.serving_copy.schemas import READER, TABLES, StoredCopy, measure
from gnomon.publish.serving_copy.statements import Text, Words, name_relation, write
from gnomon.warehouse import DATABASE, Warehouse
from gnomon.warehouse.postgres import PostgresSession

if TYPE_CHECKING:
    import pyarrow as pa

_UNITS = {"KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}
_SIZE = re.compile(r"(\d+)\s*(KB|MB|GB|TB)", re.IGNORECASE)
_STAMP_COLUMNS = {
    "generation_id": ("text", "The generation that all tables of this schema are of."),
    "data_version": ("text", "What answers of the engine call the same data."),
    "run_id": ("text", "The run of dbt that built it."),
    "raw_set_id": ("text", "The raw set that it was built from."),
    "definition_version": ("text", "The digest of the semantic manifest that it was built with."),
    "as_of_at": ("timestamp", "The build's clock, UTC: nothing known later is in it."),
    "published_at": ("timestamp", "When the generation was published, UTC."),
    "copied_at": ("timestamp", "When it was loaded here, UTC."),
    "served_at": ("timestamp", "When it last came into service here, UTC; null if it never did."),
    "withdrawn_at": ("timestamp", "When a rollback took it out of service, UTC; null if none did."),
}
_TABLES_COLUMNS = {
    "table_name": ("text", "A table of this schema that `gnomon publish` made."),
    "part": ("text", "dimension, cases, rollup, view, or record for what is said of the copy itself."),
    "row_count": ("bigint", "Its rows, null for a view and for a record."),
}


def read_budget(text: str) -> int:
    """Return the bytes that a size such as 2GB says; WarehouseError if it says none."""
    match = _SIZE.fullmatch(text.strip())
    if match is None:
        raise WarehouseError(f"GNOMON_COPY_BUDGET '{text}' is not a size. Write 2GB.")
    return int(match[1]) * _UNITS[match[2].upper()]


class Budget:
    """The most bytes that a copy may have, as they are sent and as Postgres keeps them."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.rows: dict[str, int] = {}
        self._sent = 0

    def count(self, name: str, batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        """Yield the batches of a table, its rows counted; WarehouseError once more bytes are sent than there may be."""
        self.rows[name] = 0
        for batch in batches:
            self.rows[name] += batch.num_rows
            self._sent += batch.nbytes
            self.check(self._sent, f"'{name}' was being sent")
            yield batch

    def check(self, size: int, when: str) -> None:
        """WarehouseError if a copy of this size is too large."""
        if size > self.size:
            raise WarehouseError(
                f"the copy is larger than GNOMON_COPY_BUDGET allows: {size / 1e6:,.1f} MB of {self.size / 1e6:,.1f} MB "
                f"when {when}. Take a table out of it (config.meta.serving_copy), a dimension out of a rollup, or "
                "raise the budget. What was in service still is."
            )


def load(
    session: PostgresSession, warehouse: Warehouse, contents: Contents, copy: StoredCopy, budget: Budget
) -> tuple[dict[str, int], int]:
    """Make the schema of a copy with all that is in it; return the rows of each table, and the bytes of all.

    Rows are seen by every snapshot from the commit on, however old it is: a transaction that began before the copy
    was made would else find its tables empty.
    """
    with session.transaction():
        session.execute(write("create schema {schema}", schema=copy.schema))
        for table in contents.tables:
            columns = {column.name: column.written for column in table.columns}
            session.execute(_create(copy.schema, table.name, columns))
            rows = warehouse.stream(table.select(DATABASE).sql(dialect="duckdb"))
            session.load(copy.schema, table.name, budget.count(table.name, rows))
        _load_records(session, contents, copy, budget.rows)
        session.execute(";\n".join(_write_keys(copy.schema, contents)))
        types = warehouse.column_types()
        for view in contents.views.views:
            query = Words(view.write(contents.within(copy.schema), types))
            create = "create view {view} as {query}"
            session.execute(write(create, view=name_relation(copy.schema, view.name), query=query))
        session.execute(";\n".join(_write_comments(contents, copy)))
        names = name_relation(copy.schema, *budget.rows, STAMP, TABLES)
        views = [view.name for view in contents.views.views]
        shown = name_relation(copy.schema, *budget.rows, STAMP, TABLES, *views)
        session.execute(write("grant select on {tables} to {role}", tables=shown, role=READER))
        session.execute(write("analyze {tables}", tables=names))
        size = measure(session, copy.schema)
        budget.check(size, "Postgres had it")
    return budget.rows, size


def _load_records(session: PostgresSession, contents: Contents, copy: StoredCopy, rows: dict[str, int]) -> None:
    import pyarrow as pa

    stamp = pa.table({name: [getattr(copy, name)] for name in _STAMP_COLUMNS})
    parts = {table.name: table.part.value for table in contents.tables}
    parts |= {view.name: Part.VIEW.value for view in contents.views.views} | dict.fromkeys((STAMP, TABLES), "record")
    listed = pa.table(
        {"table_name": list(parts), "part": list(parts.values()), "row_count": [rows.get(name) for name in parts]}
    )
    for name, columns, records in ((STAMP, _STAMP_COLUMNS, stamp), (TABLES, _TABLES_COLUMNS, listed)):
        session.execute(_create(copy.schema, name, {column: kind for column, (kind, _) in columns.items()}))
        session.load(copy.schema, name, records.to_batches())


def _create(schema: str, table: str, columns: dict[str, str]) -> str:
    listed = Words(", ".join(write("{name} {kind}", name=name, kind=Words(kind)) for name, kind in columns.items()))
    return write("create table {table} ({columns})", table=name_relation(schema, table), columns=listed)


def _write_keys(schema: str, contents: Contents) -> Iterator[str]:
    for table in contents.tables:
        # A dimension of a rollup may be null, and nulls are one group.
        kind = "unique nulls not distinct" if table.part is Part.ROLLUP else "primary key"
        add = "alter table {table} add {kind} ({key})"
        yield write(add, table=name_relation(schema, table.name), kind=Words(kind), key=table.key)
    yield write("alter table {table} add primary key (table_name)", table=name_relation(schema, TABLES))
    for link in contents.links:
        yield write(
            "alter table {table} add foreign key ({column}) references {parent} ({key})",
            table=name_relation(schema, link.table),
            column=link.column,
            parent=name_relation(schema, link.parent),
            key=link.parent_column,
        )


def _write_comments(contents: Contents, copy: StoredCopy) -> Iterator[str]:
    told = (
        f"Serving copy of generation {copy.generation_id}, as of {copy.as_of_at:%Y-%m-%d %H:%M:%S} UTC. `gnomon "
        "publish` made it and replaces all of it: whatever else is put here is lost."
    )
    yield write("comment on schema {schema} is {text}", schema=copy.schema, text=Text(told))
    records = {
        STAMP: ("What this copy is of. One row.", _STAMP_COLUMNS),
        TABLES: ("The tables of this copy. One row per table.", _TABLES_COLUMNS),
    }
    said = {name: (text, {column: words for column, (_, words) in columns.items()})
            for name, (text, columns) in records.items()}  # fmt: skip
    for table in contents.tables:
        said[table.name] = (table.comment, {column.name: column.comment for column in table.columns})
    views = {view.name: (view.comment, {column.name: column.comment for column in view.columns})
             for view in contents.views.views}  # fmt: skip
    for name, (text, columns) in (said | views).items():
        relation, kind = name_relation(copy.schema, name), Words("view" if name in views else "table")
        yield write("comment on {kind} {table} is {text}", kind=kind, table=relation, text=Text(text))
        for column, words in columns.items():
            if words:
                comment = "comment on column {table}.{column} is {text}"
                yield write(comment, table=relation, column=column, text=Text(words))
