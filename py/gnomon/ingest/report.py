"""What a check of a raw set found, as values, as one screen of text and as JSON."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

SHOWN_FINDINGS = 25
SCREEN_WIDTH = 120


@dataclass(frozen=True)
class Finding:
    """One fault. A structural one means that the table cannot be read as the contract says.

    `table` and `column` are empty where the fault has none; `row_count` counts the rows at
    fault and is None where rows are not what is wrong.
    """

    table: str
    column: str
    rule: str
    row_count: int | None
    is_structural: bool
    text: str


@dataclass(frozen=True)
class CheckReport:
    """The outcome of one check: the rows of every table that was read, and the findings."""

    folder: Path
    raw_set_id: str | None
    row_counts: Mapping[str, int]
    findings: tuple[Finding, ...]

    @property
    def is_clean(self) -> bool:
        """Tell whether nothing was found."""
        return not self.findings

    @property
    def exit_code(self) -> int:
        """Return 0 for a clean set, 1 for content findings only, 2 if one is structural."""
        if any(finding.is_structural for finding in self.findings):
            return 2
        return 1 if self.findings else 0

    def render(self) -> str:
        """Return one screen of text: a headline, then at most 25 findings, aligned."""
        rows = sum(self.row_counts.values())
        name = self.raw_set_id or "no raw set record"
        head = f"{self.folder} ({name}): {word_count(len(self.row_counts), 'table')}, {word_count(rows, 'row')} read"
        if self.is_clean:
            return f"{head}. The raw set keeps the contract.\n"
        structural = sum(finding.is_structural for finding in self.findings)
        head += f". {word_count(len(self.findings), 'finding')}, {structural} structural.\n"
        if structural:
            head += (
                "Rows of a table with a structural fault, and references to it, are not checked until it is mended.\n"
            )
        return "\n".join([head, *render_findings(self.findings[:SHOWN_FINDINGS]), *self._render_rest()]) + "\n"

    def _render_rest(self) -> list[str]:
        rest = len(self.findings) - SHOWN_FINDINGS
        return [f"and {rest:,} more"] if rest > 0 else []

    def to_json(self) -> str:
        """Return the whole report as JSON, with every finding."""
        document = {
            "folder": str(self.folder),
            "raw_set_id": self.raw_set_id,
            "is_clean": self.is_clean,
            "row_counts": dict(self.row_counts),
            "findings": [asdict(finding) for finding in self.findings],
        }
        return json.dumps(document, indent=2)


def render_findings(findings: tuple[Finding, ...]) -> list[str]:
    """Return the findings laid out as kind, rule, rows and text; long texts hang under their start."""
    cells = [("kind", "rule", "rows")] + [
        (
            "structural" if finding.is_structural else "content",
            finding.rule,
            "-" if finding.row_count is None else f"{finding.row_count:,}",
        )
        for finding in findings
    ]
    texts = ["finding"] + [finding.text for finding in findings]
    kind, rule, rows = (max(map(len, column)) for column in zip(*cells, strict=True))
    lines = []
    for cell, text in zip(cells, texts, strict=True):
        start = f"{cell[0]:<{kind}}  {cell[1]:<{rule}}  {cell[2]:>{rows}}  "
        lines += textwrap.wrap(
            text,
            SCREEN_WIDTH,
            initial_indent=start,
            subsequent_indent=" " * len(start),
            break_long_words=False,
            break_on_hyphens=False,
        )
    return lines


def word_count(number: int, noun: str) -> str:
    """Return the number with its noun in the right number: 1 row, 2 rows."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
