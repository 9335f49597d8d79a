"""The semantic layer for assistants: they ask metrics by name and write no SQL, under the same access rules."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from mcp.server import MCPServer
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import ValidationError

from gnomon import __version__
from gnomon.core.errors import GnomonError, QueryError, suggest_nearest
from gnomon.serve import catalogue
from gnomon.serve.http import asking
from gnomon.serve.http.bodies import PlanQuestion
from gnomon.serve.http.callers import Caller
from gnomon.serve.http.service import Service
from gnomon.serve.http.writing import write_answer

# What an assistant can read at once.
_MOST_ROWS = 500
_INSTRUCTIONS = """\
Governance metrics of a short-video platform, each defined once. Find a metric with list_metrics, read its definition
and its dimensions with explain_metric, then query it. Times are grouped by metric_time__day, __week, __month. A value
that is null has its reason in provenance.nulls; say it, and say the notes. Numbers of the last days may not be mature.
A row with is_suppressed is hidden, as too few stand behind it: do not try to compute it.
"""


def create_mcp(service: Service) -> MCPServer:
    """Return the tools over a service; who asks is told by the header Authorization, as in the API."""
    server = MCPServer("Gnomon", version=__version__, instructions=_INSTRUCTIONS)

    @server.tool()
    async def list_metrics(context: Context, search: str = "") -> list[dict[str, Any]]:
        """List the metrics that may be asked for, or those whose name or description holds a word."""
        caller = _identify(service, context)
        with _as_tool_error(), service.house.engine(renews=False) as engine:
            told = [
                {"name": each.name, "unit": each.documentation.unit, "description": " ".join(each.description.split())}
                for each in engine.list_metrics(caller.role)
            ]
            wanted = search.lower()
            found = [each for each in told if wanted in each["name"].lower() or wanted in each["description"].lower()]
            near = suggest_nearest(search, [each["name"] for each in told])
            return found or [each for each in told if each["name"] in near]

    @server.tool()
    async def explain_metric(context: Context, name: str) -> dict[str, Any]:
        """Return a metric's definition: what counts, its unit, owner and maturity, and what it can be grouped by."""
        caller = _identify(service, context)
        with _as_tool_error(), service.house.engine(renews=False) as engine:
            engine.check_metric(name, caller.role)
            return catalogue.describe_metric(engine, name)

    @server.tool()
    async def query(
        context: Context,
        metrics: list[str],
        group_by: list[str] | None = None,
        where: list[str] | None = None,
        order_by: list[str] | None = None,
        limit: int | None = None,
        start: str | None = None,
        end: str | None = None,
        time_zone: str | None = None,
    ) -> dict[str, Any]:
        """Answer a question exactly, or refuse it with a reason.

        A filter reads {{ Dimension('creator__tier') }} = 'gold'; an order -gmv descends; start and end are days.
        """
        caller = _identify(service, context)
        with _as_tool_error():
            question = PlanQuestion(
                metrics=metrics,
                group_by=group_by or [],
                where=[*(where or [])],
                order_by=order_by or [],
                limit=limit,
                start=start,
                end=end,
                time_zone=time_zone,
            )
            result = await asking.read(service, caller, question, asyncio.Event().wait)
            if result.table.num_rows > _MOST_ROWS:
                raise QueryError(
                    f"{result.table.num_rows:,} rows are more than can be read here. Group coarser, or set a limit."
                )
            return dict(json.loads(write_answer(result, "json", 0, None, None)))

    @server.tool()
    async def plan(context: Context, metrics: list[str], group_by: list[str] | None = None) -> dict[str, Any]:
        """Say how a question would be answered: the SQL, the rollups that it reads, and why."""
        caller = _identify(service, context)
        with _as_tool_error():
            question = PlanQuestion(metrics=metrics, group_by=group_by or [])
            return (await asking.explain(service, caller, question)).model_dump()

    return server


def _identify(service: Service, context: Context) -> Caller:
    with _as_tool_error():
        return service.callers.identify((context.headers or {}).get("authorization"))


class _as_tool_error:  # noqa: N801
    """Let an error that is foreseen become the tool's own, with its text."""

    def __enter__(self) -> None:
        """Begin."""

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if isinstance(error, (GnomonError, ValidationError)):
            raise ToolError(str(error)) from None
