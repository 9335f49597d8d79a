"""All dashboards held against the laws, every fault told at once."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import DefinitionError
from gnomon.dashboards.door import Door
from gnomon.dashboards.laws import LAWS
from gnomon.dashboards.loading import read_dashboards
from gnomon.dashboards.model import Dashboard

_PLACE = re.compile(r"(?P<path>.*?):(?P<line>\d+): ")


@dataclass(frozen=True)
class Checked:
    """The dashboards that are well-formed, and what is wrong, a line each, by file and line."""

    dashboards: tuple[Dashboard, ...]
    faults: tuple[str, ...]

    @property
    def exit_code(self) -> int:
        """1 if anything is wrong."""
        return 1 if self.faults else 0


def check_dashboards(door: Door, project_dir: Path) -> Checked:
    """Hold every file of dashboards/ against its form and the laws; DefinitionError if there is none."""
    read, faults = read_dashboards(project_dir)
    found = [*faults, *(fault for written in read for law in LAWS for fault in law(written, door))]
    titles: dict[str, str] = {}
    for written in read:
        first = titles.setdefault(written.dashboard.title, written.dashboard.name)
        if first != written.dashboard.name:
            where = written.lines.locate(("title",))
            found.append(f"{where}: the title '{written.dashboard.title}' is that of '{first}'. Use another one.")
    return Checked(tuple(written.dashboard for written in read), tuple(sorted(found, key=_place_of)))


def load_dashboards(door: Door, project_dir: Path) -> tuple[Dashboard, ...]:
    """Return the dashboards, all laws kept; DefinitionError with every fault."""
    checked = check_dashboards(door, project_dir)
    if checked.faults:
        raise DefinitionError("\n".join(checked.faults))
    return checked.dashboards


def _place_of(fault: str) -> tuple[str, int, str]:
    found = _PLACE.match(fault)
    return (found["path"], int(found["line"]), fault) if found else ("", 0, fault)
