"""`gnomon plan --recommend`: rollups for the questions that a log holds."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from gnomon.core.errors import QueryError

if TYPE_CHECKING:
    from gnomon.engine import Engine
    from gnomon.state import Counted


def recommend(engine: Engine, project_dir: Path, log: Path | None, as_json: bool) -> None:
    """Print the rollups that would serve a log best: a file of JSON lines, or, without one, what the API was asked."""
    from gnomon.serve import rollup_words

    found = engine.recommend(_count_questions(project_dir) if log is None else log)
    if as_json:
        typer.echo(rollup_words.describe_recommendation(found))
        return
    typer.echo(rollup_words.render_rollups(found))
    typer.echo(rollup_words.render_gains(found), err=True)


def _count_questions(project_dir: Path) -> Sequence[Counted]:
    """Return what the API was asked; QueryError if nothing was."""
    from gnomon.core.settings import Settings
    from gnomon.state import StateDatabase, count_questions

    database = StateDatabase.open(Settings.read(project_dir=project_dir).state)
    counted = count_questions(database)
    database.close()
    if not counted:
        raise QueryError("the API's log has no question that was answered. --log names another log, of JSON lines.")
    return counted
