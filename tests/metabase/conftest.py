"""A bench over a fresh fake server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from gnomon.state import StateDatabase
from tests.metabase.bench import Bench, open_bench


@pytest.fixture
def state() -> Iterator[StateDatabase]:
    database = StateDatabase.open("sqlite://")
    yield database
    database.close()


@pytest.fixture
def bench(state: StateDatabase) -> Iterator[Bench]:
    with open_bench(state) as found:
        yield found
