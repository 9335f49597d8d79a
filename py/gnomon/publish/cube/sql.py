"""The planner's SQL in the words of a Cube model: columns of its cubes and names of its members, in braces."""

from __future__ import annotations

import re
from collections.abc import Callable

from sqlglot import exp

from gnomon.planner.algebra import PRESENT
from gnomon.planner.sql_parts import alias, select
from gnomon.publish.planned import Inexpressible

# Each reference stands as a word of its own while the rest of the text is escaped.
_OPEN, _CLOSE = "\ue000", "\ue001"
_REFERENCE = re.compile(f"{_OPEN}([^{_CLOSE}]*){_CLOSE}")
# Cube puts its own parameters where it finds such a word, inside of strings too.
_PARAMETER = re.compile(r"\$\d+\$")


def write_sql(tree: exp.Expr, refer: Callable[[exp.Column], str | None]) -> str:
    """Return the tree as Cube reads it; `refer` gives what stands in braces for a column or for its table.

    It is in the place of the table of a column that has one, and in the place of the whole column otherwise.
    None leaves the column as it is. Inexpressible if Cube would read the text otherwise.
    """
    tree = tree.copy()
    for column in list(tree.find_all(exp.Column)):
        found = refer(column)
        if found is None:
            continue
        marked = exp.Identifier(this=f"{_OPEN}{found}{_CLOSE}", quoted=False)
        column.set("table" if column.table else "this", marked)
    text = tree.sql(dialect="duckdb")
    if _PARAMETER.search(text):
        raise Inexpressible(f"its SQL holds '{_PARAMETER.findall(text)[0]}', which Cube takes for a parameter")
    return _REFERENCE.sub(r"{\1}", escape(text))


def escape(text: str) -> str:
    """Return a text so that Cube reads it as it is: every text of its YAML is a template, with braces for members.

    No two braces are left beside each other, at which Jinja would begin.
    """
    return text.replace("\\", "\\\\").replace("{", "\\{").replace("}", "\\}")


def write_table(relation: str) -> str:
    """Return a table without the name of its database, which in a copy is that of the file."""
    return escape(_read_table(relation).sql(dialect="duckdb"))


def write_marked_rows(relation: str) -> str:
    """Return a query of all rows of a table, in which PRESENT says that they are there."""
    rows = select([exp.Star(), alias(exp.true(), PRESENT)], _read_table(relation))
    return escape(rows.sql(dialect="duckdb"))


def _read_table(relation: str) -> exp.Table:
    table = exp.to_table(relation, dialect="duckdb")
    table.set("catalog", None)
    return table
