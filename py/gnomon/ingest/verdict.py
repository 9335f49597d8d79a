"""What the door decided on a batch, as values, as one screen of text and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import Enum
from pathlib import Path

from gnomon.ingest.clock import CLOCK_RULES
from gnomon.ingest.report import SHOWN_FINDINGS, Finding, render_findings, word_count


class Decision(Enum):
    """Clean, passed with findings, or refused whole."""

    CLEAN = "clean"
    FINDINGS = "findings"
    REFUSED = "refused"


@dataclass(frozen=True)
class TableVerdict:
    """One table: rows read, rows that pass, rows in quarantine, and the share that may be."""

    table: str
    row_count: int
    passed: int
    quarantined: int
    limit: float

    @property
    def is_over(self) -> bool:
        """Tell whether more rows fail than may."""
        return self.quarantined > self.limit * self.row_count


@dataclass(frozen=True)
class Verdict:
    """The outcome for one batch. `out` and `docs` are the folders written, None if none was."""

    folder: Path
    raw_set_id: str | None
    tables: tuple[TableVerdict, ...]
    findings: tuple[Finding, ...]
    expectation_count: int
    earlier_batches: int
    judged: int
    unjudged: int
    out: Path | None = None
    docs: Path | None = None

    @property
    def decision(self) -> Decision:
        """Refused for a bad structure or a table over its limit; else by whether there are findings."""
        if any(finding.is_structural for finding in self.findings) or any(table.is_over for table in self.tables):
            return Decision.REFUSED
        return Decision.FINDINGS if self.findings else Decision.CLEAN

    @property
    def exit_code(self) -> int:
        """Return 0 for clean, 1 for findings within the limits, 2 for refused."""
        return {Decision.CLEAN: 0, Decision.FINDINGS: 1, Decision.REFUSED: 2}[self.decision]

    def render(self) -> str:
        """Return one screen of text: what was decided and why, the totals, then at most 25 findings."""
        lines = [f"{self.folder} ({self.raw_set_id or 'no raw set record'}): {self._word_decision()}"]
        lines += [
            f"{table.table}: {table.quarantined:,} of {table.row_count:,} rows fail "
            f"({table.quarantined / table.row_count:.2%}); the limit is {table.limit:.2%}."
            for table in self.tables
            if table.is_over
        ]
        if self.tables:
            read, passed, kept = (
                sum(getattr(table, name) for table in self.tables) for name in ("row_count", "passed", "quarantined")
            )
            lines.append(f"{read:,} rows read = {passed:,} passed + {kept:,} in quarantine.")
            lines.append(self._word_history())
        if self.findings:
            lines += ["", *render_findings(self.findings[:SHOWN_FINDINGS])]
        rest = len(self.findings) - SHOWN_FINDINGS
        lines += [f"and {rest:,} more"] if rest > 0 else []
        return "\n".join(lines) + "\n"

    def _word_decision(self) -> str:
        expected = f"{word_count(self.expectation_count, 'expectation')} of {word_count(len(self.tables), 'table')}"
        return {
            Decision.CLEAN: f"clean. It keeps all {expected}.",
            Decision.FINDINGS: f"{word_count(len(self.findings), 'finding')} within the limits. {expected} were asked.",
            Decision.REFUSED: "REFUSED whole; no row of it passes.",
        }[self.decision]

    def _word_history(self) -> str:
        if any(finding.rule in CLOCK_RULES for finding in self.findings):
            return "Volume, freshness and null shares: not judged, since the clock of the batch is refused."
        if not self.judged:
            return f"Volume, freshness and null shares: no history yet ({self.earlier_batches} earlier batches)."
        return (
            f"Volume, freshness and null shares: {self.judged:,} numbers judged by "
            f"{word_count(self.earlier_batches, 'earlier batch')}, {self.unjudged:,} with too little history."
        ).replace("batchs", "batches")

    def to_json(self) -> str:
        """Return the whole verdict as JSON, with every finding."""
        document = {
            "folder": str(self.folder),
            "raw_set_id": self.raw_set_id,
            "decision": self.decision.value,
            "tables": [{**asdict(table), "is_over": table.is_over} for table in self.tables],
            "expectation_count": self.expectation_count,
            "history": {
                "earlier_batches": self.earlier_batches,
                "judged": self.judged,
                "unjudged": self.unjudged,
            },
            "findings": [asdict(finding) for finding in self.findings],
            "out": str(self.out) if self.out else None,
            "docs": str(self.docs) if self.docs else None,
        }
        return json.dumps(document, indent=2)
