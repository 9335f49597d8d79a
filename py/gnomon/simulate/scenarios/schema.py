"""What a scenario file may say, checked by pydantic and by what its kind takes; all errors at once."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from gnomon.core.errors import explain_unknown
from gnomon.core.yaml_lines import Lines, Place
from gnomon.simulate.effects import CARRIER_COUNT
from gnomon.simulate.policies import POLICIES
from gnomon.simulate.scenarios.adaptation import ADAPTATIONS
from gnomon.simulate.scenarios.kinds import KINDS, Kind
from gnomon.simulate.world import REGIONS

CARRIERS = tuple(f"carrier-{number}" for number in range(1, CARRIER_COUNT + 1))
# Longer than any world; a scenario without an end says null.
_MOST_DAYS = 10_000
_BEGINS = "a date (2026-04-01), a day number from 0, or a share of the planned days (50%)"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class LateLog(_Part):
    """An entry in the log of interventions at the wrong time; below 0 it is there too early."""

    days_late: int = Field(ge=-60, le=60)


class Twin(_Part):
    """The same surface signal, made by honest people; without its own `begins` at the same time."""

    kind: str
    size: float
    begins: date | int | str | None = None
    days: int | None = Field(default=None, ge=1, le=_MOST_DAYS)


class ScenarioFile(_Part):
    """A scenario as written in its file."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    kind: str
    why: str = Field(min_length=10)
    begins: date | int | str
    days: int | None = Field(ge=1, le=_MOST_DAYS)
    size: float
    stealth: float | None = Field(default=None, ge=0, le=1)
    adaptation: str = "none"
    log: Literal["exact", "absent"] | LateLog = "exact"
    regions: list[str] = []
    policy: str | None = None
    carrier: str | None = None
    twin: Twin | None = None
    no_twin: str | None = Field(default=None, min_length=10)

    @field_validator("begins", mode="after")
    @classmethod
    def _check_begins(cls, value: date | int | str) -> date | int | str:
        if isinstance(value, str):
            share = value.removesuffix("%")
            if share == value or not share.replace(".", "", 1).isdecimal() or float(share) >= 100:
                raise ValueError(f"'{value}' is no beginning. Write {_BEGINS}.")
        elif isinstance(value, int) and value < 0:
            raise ValueError(f"{value} is no beginning. Write {_BEGINS}.")
        return value


def check_file(document: object, lines: Lines) -> tuple[ScenarioFile | None, list[str]]:
    """Return the scenario of a YAML document, and every error in it as FILE:LINE: text."""
    if not isinstance(document, dict):
        return None, [f"{lines.locate(())}: a scenario is a mapping of keys. docs/scenarios.md shows its form."]
    try:
        file = ScenarioFile.model_validate(document)
    except ValidationError as error:
        problems = [_explain(problem, lines) for problem in error.errors()]
        # What the kind asks for can be judged only where the kind is known.
        kind = document.get("kind")
        if isinstance(kind, str) and kind not in KINDS:
            problems.append(f"{lines.locate(('kind',))}: {explain_unknown('kind', kind, KINDS)}")
        return None, sorted(set(problems), key=_order)
    problems = [f"{lines.locate(place)}: {text}" for place, text in _check_words(file)]
    return (None if problems else file), sorted(problems, key=_order)


def _order(problem: str) -> tuple[str, int, str]:
    head = problem.split(": ", 1)[0]
    path, _, line = head.rpartition(":")
    return path, int(line) if line.isdigit() else 0, problem


def _explain(problem: Any, lines: Lines) -> str:
    """Return pydantic's error in our words, with file and line."""
    place: Place = tuple(part for part in problem["loc"] if part not in ("date", "int", "str", "LateLog"))
    place = tuple(part for part in place if not str(part).startswith(("literal[", "function-")))
    where = lines.locate(place)
    name = str(place[-1]) if place else "the file"
    kind = problem["type"]
    if kind == "extra_forbidden":
        allowed = Twin.model_fields if place[0] == "twin" else LateLog.model_fields if place[0] == "log" else None
        return f"{where}: {explain_unknown('key', name, allowed or ScenarioFile.model_fields)}"
    if kind == "missing":
        return f"{lines.locate(place[:-1])}: '{name}' is missing. docs/scenarios.md says what it means."
    if kind == "value_error":
        return f"{where}: {problem['ctx']['error']}"
    if place[0] == "log":
        return f"{where}: 'log' must be exact, absent, or {{days_late: n}} with n from -60 to 60."
    if place[-1] == "begins":
        return f"{where}: 'begins' must be {_BEGINS}, not {problem['input']!r}."
    text = problem["msg"][0].lower() + problem["msg"][1:]
    return f"{where}: '{name}': {text}, not {problem['input']!r}."


def _check_words(file: ScenarioFile) -> Iterator[tuple[Place, str]]:
    """Yield what is wrong by the kind: unknown words, sizes out of range, keys it does not take."""
    if file.kind not in KINDS:
        yield ("kind",), explain_unknown("kind", file.kind, KINDS)
        return
    kind = KINDS[file.kind]
    yield from _check_size(("size",), file.size, kind)
    given = file.model_fields_set
    optional = ("stealth", "adaptation", "log", "regions", "policy", "carrier")
    for key in optional:
        if key in given and key not in kind.list_keys():
            keys = ", ".join(kind.list_keys()) or "none of these"
            yield (key,), f"the kind '{kind.name}' takes no '{key}'. It takes: {keys}."
    for key in kind.list_needed():
        if getattr(file, key) is None:
            yield ("kind",), f"the kind '{kind.name}' needs '{key}'. docs/scenarios.md says what it means."
    if file.adaptation not in ADAPTATIONS:
        yield ("adaptation",), explain_unknown("adaptation", file.adaptation, ADAPTATIONS)
    for place, region in enumerate(file.regions):
        if region not in REGIONS:
            yield ("regions", place), explain_unknown("region", region, REGIONS.tolist())
    if file.policy is not None and file.policy not in POLICIES:
        yield ("policy",), explain_unknown("policy", file.policy, POLICIES.tolist())
    if file.carrier is not None and file.carrier not in CARRIERS:
        yield ("carrier",), explain_unknown("carrier", file.carrier, CARRIERS)
    yield from _check_twin(file, kind)


def _check_size(place: Place, size: float, kind: Kind) -> Iterator[tuple[Place, str]]:
    if not kind.least <= size <= kind.most:
        yield place, f"the size of '{kind.name}' is from {kind.least:g} to {kind.most:g} ({kind.size}), not {size:g}."


def _check_twin(file: ScenarioFile, kind: Kind) -> Iterator[tuple[Place, str]]:
    if kind.is_benign:
        if file.twin is not None:
            yield ("twin",), f"the kind '{kind.name}' is benign and has no twin. Remove 'twin'."
        return
    if file.twin is None and file.no_twin is None:
        yield ("kind",), "there is no 'twin'. Give one, or say in 'no_twin' why honest people cannot look like this."
    if file.twin is None:
        return
    if file.no_twin is not None:
        yield ("no_twin",), "there is a 'twin' as well. Keep one of the two."
    benign = {name: other for name, other in KINDS.items() if other.is_benign}
    if file.twin.kind not in benign:
        yield ("twin", "kind"), explain_unknown("benign kind", file.twin.kind, benign)
    else:
        yield from _check_size(("twin", "size"), file.twin.size, benign[file.twin.kind])
