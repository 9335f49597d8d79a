"""Every metric of the project is answered on the sample, as people ask for it: with floors and intervals."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gnomon import Engine
from gnomon.core.errors import GnomonError
from tests.journey.conftest import Built

# Refused until its inputs exist; tests/golden and the README tell which.
REFUSED = {"ecosystem_health_index"}


def test_no_metric_is_refused_but_the_one_that_says_so(
    built_sample: Built, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in built_sample.environ.items():
        monkeypatch.setitem(os.environ, name, value)
    engine = Engine.open(project, working=True)
    told = {}
    try:
        for name in engine.manifest.metrics:
            try:
                engine.query([name], ["metric_time__month"])
            except GnomonError as error:
                told[str(name)] = str(error)
    finally:
        engine.close()
    assert set(told) == REFUSED, told
