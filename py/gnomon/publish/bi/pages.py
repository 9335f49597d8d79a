"""What an export says of itself: how it is used, how its numbers are read, and what is not in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gnomon.publish.bi.exporting import WrittenFiles

_USE = {
    "tableau": """\
# Gnomon's metrics in Tableau

Written by `gnomon export tableau` from data version `{data}`, definitions `{version}`. Change the definitions and
export again. Not opened in Tableau: the files were held to Tableau's published schema and to a real Postgres only.

Open a `.tds` file in Tableau. It asks for a user and a password: those of a login that has the role `gnomon_reader`.
Use Edit Connection for another server.
""",
    "powerbi": """\
# Gnomon's metrics in Power BI

Written by `gnomon export powerbi` from data version `{data}`, definitions `{version}`. Change the definitions and
export again. Not opened in Power BI: the files were held to the described syntax of TMDL and to a real Postgres only.

`definition/` is a semantic model in TMDL, `definition.pbism` makes the folder one of a Power BI project: name it
`NAME.SemanticModel` beside a report that names it, or deploy it with a tool that reads TMDL. The parameters `Server`
and `Database` say where the copy is. Power BI asks for a user and a password: those of a login that has the role
`gnomon_reader`. Refresh it after each publish.
""",
}
_READ = """
## How to read the numbers

- A ratio is made of sums in each group that is shown: never average it, and build no average over it.
- A ratio has no value where its units are fewer than its floor.
- A number that matures after some days can still change in rows where `is_mature_after_…_days` is false: filter by it.
- `gnomon.gnomon_stamp` says which generation is read, and its clock.
- Days are UTC, weeks begin on Monday.

## Views
"""


def write_readme(tool: str, written: WrittenFiles) -> str:
    """Return the README of an export."""
    head = _USE[tool].format(data=written.data_version, version=written.definition_version)
    parts = [head, _READ, "| view | metrics |", "|---|---|"]
    parts += [f"| `{name}` | {', '.join(metrics)} |" for name, metrics in written.views.items()]
    parts += ["", "## Not exported", "", *_list(written.left_out.metrics), ""]
    if written.missing:
        parts += ["In no file of this tool:", "", *_list(written.missing), ""]
    return "\n".join(parts)


def describe_left_out(written: WrittenFiles) -> dict[str, object]:
    """Return what is not exported, for programs."""
    out = written.left_out
    return {
        "definition_version": written.definition_version,
        "data_version": written.data_version,
        "metrics": _pair(out.metrics),
        "rollups": _pair(out.rollups),
        "attributes": [
            {"view": view, "name": name, "reason": reason}
            for view, names in out.attributes.items() for name, reason in names.items()
        ],
        "missing": _pair(written.missing),
    }  # fmt: skip


def _pair(reasons: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"name": str(name), "reason": reason} for name, reason in reasons.items()]


def _list(reasons: Mapping[str, str]) -> Iterator[str]:
    return (f"- `{name}`: {reason}" for name, reason in reasons.items())
