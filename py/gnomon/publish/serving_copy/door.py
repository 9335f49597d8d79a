"""The door for who asks the copy in Postgres: SQL of the planner's own, over what the copy in service holds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from gnomon.core.errors import GnomonError, WarehouseError
from gnomon.engine import Engine
from gnomon.planner import Copy, Plan
from gnomon.publish.serving_copy.contents import SCHEMA, Contents
from gnomon.publish.serving_copy.schemas import StoredCopy, check_server, read_copies
from gnomon.publish.serving_copy.source import Source
from gnomon.warehouse.postgres import PostgresAddress, PostgresSession


@dataclass(frozen=True)
class CopyDoor:
    """Plans questions for the copy in service. `stored` says which generation it is of, `contents` what it holds."""

    stored: StoredCopy
    copy: Copy
    contents: Contents
    engine: Engine

    def plan(self, metrics: Sequence[str] = (), group_by: Sequence[str] = (), **words: Any) -> Plan:
        """Return the SQL, in Postgres's words, that answers a question from the copy; all words of `Engine.plan`.

        Its tables have their stable names ("gnomon"."rollup_…"), so that it answers from the next copy, too, as long
        as the definitions are the same: `stored.definition_version`. `outer_filters` give places for Metabase's field
        filters. QueryError refuses what no rollup or case list of the copy holds, with the reason of each miss, and
        metrics over tables that the source does not have: the engine makes them null, and SQL would not.
        """
        return self.engine.plan(metrics, group_by, copy=self.copy, **words)


@contextmanager
def open_copy(project_dir: str | Path, address: PostgresAddress) -> Iterator[CopyDoor]:
    """Plan for the copy in service at an address, for the block; the generation that it is of must be kept here.

    WarehouseError if no copy is in service there, or its generation is gone: then it is to be published again.
    """
    with PostgresSession.open(address) as session:
        check_server(session)
        stored = next((copy for copy in read_copies(session) if copy.state == "serving"), None)
    if stored is None:
        raise WarehouseError(f"{address}: no copy is in service. `gnomon publish --to ADDRESS` makes one.")
    with ExitStack() as stack:
        try:
            source = stack.enter_context(Source.open(Path(project_dir), stored.generation_id))
        except GnomonError as error:
            raise WarehouseError(
                f"{address}: serves generation '{stored.generation_id}', for which nothing can be planned: {error} "
                "`gnomon publish --to ADDRESS` serves the one that is in service."
            ) from None
        if source.served.record.run_id != stored.run_id:
            raise WarehouseError(
                f"{address}: serves another generation that is named '{stored.generation_id}', of build "
                f"{stored.run_id}. It was copied from elsewhere: plan for it there."
            )
        yield CopyDoor(stored, source.contents.within(SCHEMA), source.contents, source.engine)
