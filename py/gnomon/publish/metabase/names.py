"""The ids of one server and what they are called here, both ways."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from gnomon.core.errors import WarehouseError, explain_unknown
from gnomon.publish.metabase.identity import Kind, Ref
from gnomon.publish.metabase.wanted import FieldAddress, TableAddress

Part = Literal["tab/", "tile/"]


@dataclass
class Names:
    """What is known of one server's ids. It grows while things are found and made."""

    database_id: int | None = None
    tables: dict[TableAddress, int] = field(default_factory=dict)
    fields: dict[FieldAddress, int] = field(default_factory=dict)
    # The ids of things of ours; and, by dashboard, those of tabs and tiles, under names that tell the two apart.
    ids: dict[Ref, int] = field(default_factory=dict)
    parts: dict[Ref, dict[str, int]] = field(default_factory=dict)

    def parts_of(self, dashboard: str, part: Part) -> dict[str, int]:
        """Return the ids of a dashboard's tabs, or of its tiles, by our keys."""
        known = self.parts.get(Ref("dashboard", dashboard), {})
        return {name.removeprefix(part): each for name, each in known.items() if name.startswith(part)}

    def learn_tables(self, tables: Iterable[Mapping[str, Any]]) -> None:
        """Take the ids of tables and fields from what the server says of a database."""
        for table in tables:
            if not table.get("active", True):
                continue
            address = TableAddress(table.get("schema") or "", table["name"])
            self.tables[address] = table["id"]
            for each in table.get("fields") or ():
                if each.get("active", True) and each.get("parent_id") is None:
                    self.fields[FieldAddress(address.schema, address.table, each["name"])] = each["id"]

    def id_of_table(self, address: TableAddress) -> int:
        """Return a table's id; WarehouseError if Metabase does not know it."""
        if address not in self.tables:
            word = f"{address.schema}.{address.table}"
            known = [f"{each.schema}.{each.table}" for each in self.tables]
            raise WarehouseError(f"Metabase has seen no such table: {explain_unknown('table', word, known)}")
        return self.tables[address]

    def id_of_field(self, address: FieldAddress) -> int:
        """Return a column's id; WarehouseError if Metabase does not know it."""
        if address not in self.fields:
            table = TableAddress(address.schema, address.table)
            self.id_of_table(table)
            known = [each.column for each in self.fields if (each.schema, each.table) == (table.schema, table.table)]
            said = explain_unknown("column", address.column, known)
            raise WarehouseError(f"Metabase has seen no such column of {address.schema}.{address.table}: {said}")
        return self.fields[address]

    def id_of(self, kind: Kind, key: str) -> int:
        """Return the id of a thing of ours; WarehouseError if it is not there."""
        ref = Ref(kind, key)
        if ref not in self.ids:
            raise WarehouseError(f"{ref} is not on the server, and is needed. The plan says why it is not there.")
        return self.ids[ref]

    def table_of(self, table_id: Any) -> TableAddress:
        """Return the table of an id, under a name that no table has where it is unknown."""
        named = (address for address, each in self.tables.items() if each == table_id)
        return next(named, TableAddress("", f"#{table_id}"))

    def field_of(self, field_id: Any) -> FieldAddress:
        """Return the column of an id, under a name that no column has where it is unknown."""
        named = (address for address, each in self.fields.items() if each == field_id)
        return next(named, FieldAddress("", "", f"#{field_id}"))

    def key_of(self, kind: Kind, thing_id: Any) -> str | None:
        """Return our key of an id; #ID where it is not ours, None where there is no id."""
        if thing_id is None:
            return None
        ours = (ref.key for ref, each in self.ids.items() if ref.kind == kind and each == thing_id)
        return next(ours, f"#{thing_id}")
