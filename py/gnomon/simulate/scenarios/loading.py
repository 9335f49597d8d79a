"""Scenario files, the ones that come with Gnomon and others, as the scenarios of a world."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from pathlib import Path

from gnomon.core.errors import DefinitionError, QueryError, explain_unknown
from gnomon.core.yaml_lines import Lines, read_yaml
from gnomon.simulate.policies import POLICIES
from gnomon.simulate.scenarios.kinds import KINDS
from gnomon.simulate.scenarios.scenario import LONGEST_LEAD, Scenario
from gnomon.simulate.scenarios.schema import CARRIERS, LateLog, ScenarioFile, check_file
from gnomon.simulate.world import REGIONS

LIBRARY = Path(__file__).with_name("library")
# What a world holds unless it is asked for something else; worlds under 60 days hold those that fit.
DEFAULT = (
    "matrix_rotated",
    "farm_camouflaged",
    "spam_burst",
    "campaign_peak",
    "farm_lockstep",
    "logistics_outage",
    "aigc_flood",
    "registration_attack",
    "enforcement_moved",
    "misleading_claims",
    "policy_widening_unlogged",
    "supply_drop",
    "wrong_strategy",
    "threshold_moved_late",
)
_DEFAULT_DAYS = 60


def list_library() -> dict[str, Path]:
    """Return the files that come with Gnomon by the name of their scenario."""
    return {path.stem: path for path in sorted(LIBRARY.glob("*.yml"))}


def load_scenarios(names: Sequence[str] | None, start: date, days: int) -> tuple[Scenario, ...]:
    """Return the scenarios of these names or files for a world of `days` days, each before its twin.

    A name is of the library; what ends in .yml is a file. None gives DEFAULT, the scenarios of it
    that fit where the world is shorter than 60 days. QueryError for an unknown name,
    DefinitionError with every error of every file.
    """
    if names is None:
        return load_default(start, days)
    library = list_library()
    paths = []
    for name in names:
        if name.endswith((".yml", ".yaml")):
            paths.append(Path(name))
        elif name in library:
            paths.append(library[name])
        else:
            raise QueryError(f"{explain_unknown('scenario', name, library)} A file's name ends in .yml.")
    return _load(paths, start, days)


def load_default(start: date, days: int) -> tuple[Scenario, ...]:
    """Return the scenarios of a world that names none."""
    library = list_library()
    loaded = [_load([library[name]], start, days) for name in DEFAULT]
    if days < _DEFAULT_DAYS:
        loaded = [pair for pair in loaded if all(_fits(scenario, days) for scenario in pair)]
    return tuple(scenario for pair in loaded for scenario in pair)


def _fits(scenario: Scenario, days: int) -> bool:
    """Return whether all of it falls into the days: the gathering of accounts, and its end or a week."""
    lead = round(LONGEST_LEAD * scenario.stealth) if scenario.stealth is not None else 0
    return lead < scenario.begins_on and scenario.begins_on + (scenario.days or 7) <= days


def _load(paths: Iterable[Path], start: date, days: int) -> tuple[Scenario, ...]:
    problems: list[str] = []
    found: list[Scenario] = []
    seen: set[str] = set()
    for path in paths:
        document, lines = read_yaml(path)
        file, wrong = check_file(document, lines)
        problems += wrong
        if file is None:
            continue
        if file.name != path.stem:
            where = lines.locate(("name",))
            problems.append(f"{where}: the scenario is named '{file.name}', its file '{path.stem}'. Rename one.")
        placed = _place(file, lines, start, days, problems)
        for scenario in placed:
            # By its name a scenario draws its luck and stands in the truth.
            if scenario.name in seen:
                where = lines.locate(("name",) if scenario.twin_of is None else ("twin",))
                problems.append(f"{where}: '{scenario.name}' is there twice. A copy needs its own name and file.")
            seen.add(scenario.name)
        found += placed
    if problems:
        raise DefinitionError("\n".join(problems))
    return tuple(found)


def _place(file: ScenarioFile, lines: Lines, start: date, days: int, problems: list[str]) -> list[Scenario]:
    """Return the file's scenario and its twin, with the days that their beginnings fall on."""
    kind = KINDS[file.kind]
    begins_on = _find_day(file.begins, lines, ("begins",), start, days, problems)
    late = file.log.days_late if isinstance(file.log, LateLog) else 0
    regions = tuple(REGIONS.tolist().index(region) for region in file.regions)
    scenario = Scenario(
        name=file.name,
        kind=file.kind,
        why=file.why,
        begins_on=begins_on,
        days=file.days,
        size=file.size,
        is_benign=kind.is_benign,
        stealth=file.stealth if kind.has_operator else None,
        adaptation=file.adaptation,
        is_logged=file.log != "absent",
        days_late=late,
        regions=regions,
        policy=POLICIES.tolist().index(file.policy) if file.policy else -1,
        carrier=CARRIERS.index(file.carrier) if file.carrier else -1,
    )
    if file.twin is None:
        return [scenario]
    twin_begins = begins_on
    if file.twin.begins is not None:
        twin_begins = _find_day(file.twin.begins, lines, ("twin", "begins"), start, days, problems)
    twin = Scenario(
        name=f"{file.name}_twin",
        kind=file.twin.kind,
        why=f"Honest people who look like {file.name}.",
        begins_on=twin_begins,
        days=file.twin.days or file.days,
        size=file.twin.size,
        is_benign=True,
        regions=regions if KINDS[file.twin.kind].takes_regions else (),
        twin_of=file.name,
    )
    return [scenario, twin]


def _find_day(
    begins: date | int | str, lines: Lines, place: tuple[str, ...], start: date, days: int, problems: list[str]
) -> int:
    """Return the number of the day of a beginning; a problem where the world does not have it."""
    if isinstance(begins, str):
        return int(days * float(begins.removesuffix("%")) / 100)
    day = begins if isinstance(begins, int) else (begins - start).days
    if not 0 <= day < days:
        problems.append(
            f"{lines.locate(place)}: begins on day {day}, but this world has days 0 to {days - 1} from {start}. "
            "A share (50%) fits any world."
        )
    return day
