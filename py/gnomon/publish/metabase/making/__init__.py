"""From the project's dashboards, metrics and serving copy to what is to be in Metabase."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import parse_qs, urlsplit

from gnomon.core.errors import WarehouseError
from gnomon.dashboards import load_dashboards
from gnomon.dashboards.periods import choose_days
from gnomon.dashboards.questions import Scope
from gnomon.publish.metabase.making import cases, metrics
from gnomon.publish.metabase.making.mails import write_subscription
from gnomon.publish.metabase.making.pages import PageMaker
from gnomon.publish.metabase.making.tables import list_tables
from gnomon.publish.metabase.wanted import Collection, Database, Group, Wanted
from gnomon.publish.serving_copy import open_copy
from gnomon.publish.serving_copy.contents import SCHEMA
from gnomon.warehouse.postgres import PostgresAddress

_ROOT, _PAGES = "gnomon", "dashboards"
_DEFAULT_PORT = 5432


def make_wanted(project_dir: Path, copy: PostgresAddress, *, shown_as: PostgresAddress | None = None) -> Wanted:
    """Return what is to be in Metabase for the copy in service at an address.

    Metabase reads it at `shown_as` where it sees the server by another name or as another user, else at the same
    address. WarehouseError if no copy is in service or its generation is gone; DefinitionError with every fault of
    dashboards/. A tile that the copy cannot answer is words on its page, and in `refused` with the reason.
    """
    with open_copy(project_dir, copy) as door:
        engine = door.engine
        if engine.as_of is None:
            raise WarehouseError(f"{copy}: its generation has no record of a build, so its days are not known.")
        dashboards = load_dashboards(engine, project_dir)
        lists = cases.list_cases(engine.manifest, door.contents)
        maker = PageMaker(door, engine, {each.table: each for each in lists})
        pages = [
            maker.make(each, Scope(choose_days(engine.as_of, each.last_days, None, None), engine.as_of))
            for each in dashboards
        ]
        collections = (
            Collection(_ROOT, "Gnomon", "Made from the project's definitions; what is changed here by hand is told."),
            Collection(_PAGES, "Dashboards", "Pages for ops, policy and business.", _ROOT),
            *(page.collection for page in pages),
            Collection(metrics.COLLECTION, "Metrics", "What can be asked by any attribute, from views of sums.", _ROOT),
            Collection(cases.COLLECTION, "Case lists", "Rows that people work off, one by one.", _ROOT),
        )
        return Wanted(
            definition_version=door.stored.definition_version,
            generation_id=door.stored.generation_id,
            database=_describe_database(shown_as or copy),
            tables=list_tables(engine.manifest, door.contents),
            collections=collections,
            cards=(
                *metrics.list_metrics(engine.manifest, door.contents.views),
                *(card for each in lists for card in (each.model, each.card)),
                *(card for page in pages for card in page.cards),
            ),
            dashboards=tuple(page.dashboard for page in pages),
            alerts=tuple(alert for page in pages for alert in page.alerts),
            subscriptions=tuple(sent for each in dashboards if (sent := write_subscription(each)) is not None),
            groups=(Group("readers", "Gnomon readers", tuple(each.key for each in collections)),),
            refused={name: why for page in pages for name, why in page.refused.items()},
        )


def _describe_database(address: PostgresAddress) -> Database:
    """Return the connection that an address says, without its password, to the copy's schema alone."""
    parts = urlsplit(address.url)
    said = {name: values[-1] for name, values in parse_qs(parts.query).items()}
    return Database(
        key="copy",
        name="Gnomon",
        engine="postgres",
        details={
            "host": parts.hostname or said.get("host", "localhost"),
            "port": parts.port or _DEFAULT_PORT,
            "dbname": parts.path.removeprefix("/"),
            "user": parts.username or said.get("user", ""),
            "ssl": said.get("sslmode", "prefer") not in ("disable", "allow", "prefer"),
            "schema-filters-type": "inclusion",
            "schema-filters-patterns": SCHEMA,
        },
    )
