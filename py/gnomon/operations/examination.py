"""Gather what the doctor judges: the builds of a working file, the journal of daily runs, the rule of history."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path

from gnomon.core.settings import Settings
from gnomon.ingest.expectations import read_policy
from gnomon.operations.daily import FOLDER
from gnomon.operations.doctor import Diagnosis, diagnose
from gnomon.operations.journal import read_journal
from gnomon.warehouse import read_history


def examine(project_dir: Path, now: datetime, environ: Mapping[str, str] = os.environ) -> Diagnosis:
    """Return the diagnosis of a project's working file; WarehouseError if no build has ended in it."""
    settings = Settings.read(environ, project_dir)
    history = read_history(settings.database)
    return diagnose(history, read_journal(settings.target / FOLDER), read_policy().history, now)
