"""The sample in a serving copy, its tiles made into cards, and all that is to be in Metabase."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import pytest

from gnomon import Engine
from gnomon.core.errors import QueryError
from gnomon.dashboards import Tile, load_dashboards
from gnomon.dashboards.model import Dashboard, Text
from gnomon.dashboards.periods import choose_days
from gnomon.dashboards.questions import Scope
from gnomon.publish import publish
from gnomon.publish.metabase.making import make_wanted
from gnomon.publish.metabase.making.queries import TileQuery, write_tile
from gnomon.publish.metabase.wanted import Wanted
from gnomon.publish.serving_copy import CopyDoor, copy_generation, open_copy
from gnomon.warehouse.postgres import PostgresAddress, PostgresSession
from tests.copies import make_database

PROJECT = Path(__file__).resolve().parents[2]
# What the copy of the sample cannot answer: an index that lacks inputs, and posts of each creator.
REFUSED = {"data_quality.index", "supply_and_commerce.posts_per_creator"}


@dataclass(frozen=True)
class Shown:
    """A copy of the sample in service, the tiles that were made into cards, and all that is to be in Metabase."""

    url: str
    address: PostgresAddress
    session: PostgresSession
    copy: CopyDoor
    tiles: Mapping[str, tuple[Dashboard, Tile, TileQuery]]
    wanted: Wanted

    @property
    def engine(self) -> Engine:
        return self.copy.engine

    @property
    def as_of(self) -> datetime:
        assert self.engine.as_of is not None
        return self.engine.as_of


@contextmanager
def show_copy(database: Path, server: str, target: Path) -> Iterator[Shown]:
    """Publish a working file, copy it to a Postgres and make the tiles of all dashboards into cards."""
    shutil.copyfile(database, target / "gnomon.duckdb")
    with ExitStack() as stack:
        address = stack.enter_context(make_database(server, "cards"))
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("DBT_TARGET_PATH", str(target))
            publish(PROJECT, environ={"DBT_TARGET_PATH": str(target)})
            copy_generation(PROJECT, address, budget="1GB")
            copy = stack.enter_context(open_copy(PROJECT, address))
            wanted = make_wanted(PROJECT, address)
        session = stack.enter_context(PostgresSession.open(address))
        yield Shown(address.url, address, session, copy, dict(write_tiles(copy)), wanted)


def write_tiles(copy: CopyDoor) -> Iterator[tuple[str, tuple[Dashboard, Tile, TileQuery]]]:
    engine = copy.engine
    assert engine.as_of is not None
    for board in load_dashboards(engine, PROJECT):
        scope = Scope(choose_days(engine.as_of, board.last_days, None, None), engine.as_of)
        for tile in board.tiles:
            if isinstance(tile.content, Text):
                continue
            try:
                yield f"{board.name}.{tile.name}", (board, tile, write_tile(copy, engine, board, tile, scope))
            except QueryError:
                assert f"{board.name}.{tile.name}" in REFUSED
