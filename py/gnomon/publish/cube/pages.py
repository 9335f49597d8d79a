"""The README of an export: what is in it, what is not and why, and how Cube's answers are to be read."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from gnomon.publish.cube.exporting import Export

_HEAD = """\
# Gnomon's metrics in Cube

Written by `gnomon export cube` from data version `{data}`, definitions `{version}`. Change the definitions and export
again. Tested with Cube 1.7.43.

```console
$ cp .env.example .env                  # set CUBEJS_API_SECRET
$ install -m 644 PATH/OF/THE/GENERATION.duckdb gnomon.duckdb
$ npm install @cubejs-backend/server@1.7.43 @cubejs-backend/duckdb-driver@1.7.43
$ npx cubejs-server
```

Another generation is another export: replace this folder and the copy, and start Cube again.

A question goes to one view. A token says `gnomon_role`, a role of access.yml; `owner` sees everything.

## Views

"""
_DIFFERENCES = """
## How to read the answers

Each exported metric is exactly Gnomon's, with its floor: it is null where its `units` are fewer than `minimum_units`.

- Cube gives a row to each group of a table's rows. A filtered metric is null in groups without a row that passes (or
  has what its definition fills in); Gnomon has no such row.
- Where no row at all passes a question's filters, every metric is null. So it is where a role may not ask: Cube answers
  a filter by a hidden attribute over no rows.
- Why a value is null, its interval, and the day up to which it is mature are not said here. `meta` has
  `matures_after_days`, and `always_with`: the metrics to read beside it.
- A filter `notEquals` keeps rows without a value; Gnomon's `<>` does not.
- Times are UTC, weeks begin on Monday. A question in another time zone is refused.
- Cube cuts answers off at a number of rows, without a word. `.env.example` raises it from 10,000 to a million.
- Cube's JavaScript client fills days without rows with 0 unless it is told `fillMissingDates: false`.
- Numbers come as texts; sums of binary fractions may differ in the last digits.
"""
_WORDS = """
Saved questions, words after a metric (`__previous`, `__share`), `top`, and grains of a project's own are Gnomon's only.
"""


def write_readme(export: Export, data_version: str) -> str:
    """Return the README."""
    out = export.left_out
    views = ((f"`{view.name}`", view.description, ", ".join(export.metrics[view.name])) for view in export.views)
    parts = [
        _HEAD.format(data=data_version, version=export.definition_version),
        _write_table(("view", "of", "metrics"), views),
        _DIFFERENCES,
        "\n## Not exported\n",
        *_list_section("Metrics", out.metrics),
        *_list_section(
            "Intervals",
            dict.fromkeys(out.intervals, "its interval comes of leaving out replicate groups; Cube has no form for it"),
        ),
        *(part for model, names in out.attributes.items() for part in _list_section(f"Attributes of {model}", names)),
        *_list_section("Roles", out.roles),
        *_list_section("Rollups", out.rollups),
        _WORDS,
    ]
    return "".join(parts)


def _list_section(title: str, reasons: Mapping[str, str]) -> Iterator[str]:
    if reasons:
        yield f"\n### {title}\n\n"
        yield _write_table(("name", "reason"), ((f"`{name}`", reason) for name, reason in reasons.items()))


def _write_table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "".join(f"| {' | '.join(map(_write_cell, line))} |\n" for line in lines)


def _write_cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
