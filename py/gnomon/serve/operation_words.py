"""Words of `gnomon daily` and `gnomon doctor`, for people and as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gnomon.semantic.units import format_value
from gnomon.serve.publish_words import tell_publication, write_value

if TYPE_CHECKING:
    from gnomon.operations import DailyRun, Diagnosis, NorthStar

_FINDINGS_SHOWN = 5


def render_daily(run: DailyRun, stars: tuple[NorthStar, ...]) -> str:
    """Return what happened, in a few plain sentences, and what to do next."""
    lines = [*_tell_batch(run), *_tell_build(run), *_tell_publishing(run), *map(_tell_star, stars)]
    return "\n".join([*lines, f"Next: {_advise(run)}"])


def describe_daily(run: DailyRun, stars: tuple[NorthStar, ...]) -> str:
    """Return the same as JSON."""
    build = asdict(run.build) if run.build else None
    news = None
    if run.news:
        news = {"since": run.news.since, "row_count": run.news.row_count, "days": run.news.days}
    document: dict[str, Any] = {
        "outcome": run.outcome.value,
        "raw": str(run.raw),
        "raw_set_id": run.verdict.get("raw_set_id"),
        "database": str(run.database),
        "rows_read": run.rows_read,
        "rows_quarantined": run.rows_quarantined,
        "findings": run.verdict.get("findings", []),
        "news": news,
        "build": build,
        "north_stars": [asdict(star) for star in stars],
        "published": asdict(run.publication) if run.publication else None,
        "publish_error": run.publish_error,
        "seconds": run.seconds,
        "next": _advise(run),
    }
    return json.dumps(document, indent=2, default=write_value)


def render_doctor(diagnosis: Diagnosis) -> str:
    """Return the problems, each with its remedy, and what could not be judged."""
    builds = f"{diagnosis.build_count} build{'' if diagnosis.build_count == 1 else 's'} on record"
    count = len(diagnosis.problems)
    found = "nothing is wrong" if not count else f"{count} problem{'' if count == 1 else 's'}"
    lines = [f"{builds}: {found}."]
    for problem in diagnosis.problems:
        lines += [f"{problem.rule}: {problem.text}", f"    {problem.remedy}"]
    return "\n".join([*lines, *(f"note: {note}" for note in diagnosis.notes)])


def describe_doctor(diagnosis: Diagnosis) -> str:
    """Return the same as JSON."""
    return json.dumps(asdict(diagnosis), indent=2)


def _tell_batch(run: DailyRun) -> list[str]:
    if run.outcome.value == "nothing new":
        return [
            f"Nothing is new: {_show(run.raw)} and the definitions are those that {_show(run.database)} was built from."
        ]
    name = run.verdict.get("raw_set_id") or "no raw set record"
    lines = [f"{_show(run.raw)} ({name}): {run.rows_read:,} rows read, {run.rows_quarantined:,} in quarantine."]
    if run.verdict.get("decision") == "refused":
        lines = [f"{_show(run.raw)} ({name}): the batch is REFUSED. {_show(run.database)} is as it was."]
    findings = run.verdict.get("findings", [])
    lines += [f"  {finding['text']}" for finding in findings[:_FINDINGS_SHOWN]]
    rest = len(findings) - _FINDINGS_SHOWN
    return lines + ([f"  and {rest:,} more findings"] if rest > 0 else [])


def _tell_build(run: DailyRun) -> list[str]:
    lines = []
    if run.news:
        days = run.news.days
        touched = f"{len(days)} days, {days[0]} to {days[-1]}" if days else "no day"
        since = f"are newer than the last build's {run.news.since} UTC" if run.news.since else "are new, as all are"
        lines.append(f"{run.news.row_count:,} rows {since}; they touch {touched}.")
    if run.build:
        built = run.build
        words = f"Built {built.built:,} of {built.asked:,} nodes; {built.tests_passed:,} of {built.tests_asked:,} tests"
        peak = built.peak_memory_bytes
        memory = f"memory peaked at {peak / 1e6:,.0f} MB" if peak else "memory was not measured"
        lines.append(f"{words} passed; {memory}.")
        if not built.is_good:
            lines += [f"  broken: {rule}" for rule in built.broken_rules[:_FINDINGS_SHOWN]]
            lines.append(f"The build FAILED. {_show(run.database)} is as it was. The last words of {_show(run.log)}:")
            lines += [f"  {line}" for line in built.last_words.splitlines()]
    return [*lines, f"It took {run.seconds:,.0f} s."]


def _tell_publishing(run: DailyRun) -> list[str]:
    if run.publish_error is not None:
        return [f"It was NOT published; what is in service is as it was: {run.publish_error}"]
    if run.publication is not None:
        words = tell_publication(run.publication)
        return [words[0].upper() + words[1:]]
    if run.outcome.value in ("built", "nothing new"):
        return ["It was not published, as was asked: what is in service is as it was."]
    return []


def _tell_star(star: NorthStar) -> str:
    if star.value is None:
        # An engine's reason can be long; `gnomon query` gives all of it.
        reason = (star.reason or "it is missing").split(". ")[0].removesuffix(".")
        return f"{star.metric}{f', week of {star.week}' if star.week else ''}: no value: {reason}."
    text = f"{star.metric}, week of {star.week}: {format_value(star.value, star.unit)}"
    if star.low is not None:
        text += f" (95 % interval {format_value(star.low, star.unit)} to {format_value(star.high, star.unit)})"
    return f"{text}."


def _advise(run: DailyRun) -> str:
    if run.verdict.get("decision") == "refused":
        return f"mend the source, then `gnomon ingest validate {_show(run.raw)}` says whether it passes."
    if run.outcome.value == "dry run":
        return "run it again without --dry-run to build."
    if run.outcome.value == "build failed":
        return f"read {_show(run.log)}, mend what failed, and run `gnomon daily` again."
    if run.publish_error is not None:
        return "mend that and run `gnomon publish`; the working file is built."
    if run.rows_quarantined:
        return f"read why rows are in quarantine: `gnomon ingest validate {_show(run.raw)} --docs FOLDER`."
    return "ask `gnomon query`; `gnomon doctor` says whether the build was as usual."


def _show(path: Path | None) -> str:
    """Return a path as seen from here, where it lies below."""
    here = Path.cwd()
    return str(path.relative_to(here)) if path and path.is_relative_to(here) else str(path)
