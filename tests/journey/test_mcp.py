"""An assistant's tools, through the official client: over stdin and stdout, and over HTTP with a key."""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any

import pytest
from mcp import ClientSession, StdioServerParameters, stdio_client
from mcp.client.streamable_http import streamable_http_client

from tests.journey.conftest import BIN, Built, run_command, serve

ACCESS = """
roles:
  shop_team:
    why: The shop team asks for commerce and nothing else.
    metrics: [gmv, orders]
"""
QUESTION = {"metrics": ["gmv"], "group_by": ["metric_time__month"], "order_by": ["metric_time__month"]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("project")
    (folder / "access.yml").write_text(ACCESS)
    return folder


async def use(session: ClientSession) -> list[Any]:
    """Use every tool once, and one in a way that it refuses."""
    await session.initialize()
    names = sorted(tool.name for tool in (await session.list_tools()).tools)
    assert names == ["explain_metric", "list_metrics", "plan", "query"]
    calls = [
        ("list_metrics", {}),
        ("explain_metric", {"name": "gmv"}),
        ("query", QUESTION),
        ("plan", {"metrics": ["gmv"]}),
    ]
    calls += [("query", {"metrics": ["views"]}), ("query", {"metrics": ["gvm"]})]
    return [await session.call_tool(name, arguments) for name, arguments in calls]


def check(answers: list[Any], built: Built) -> None:
    listed, explained, queried, planned, forbidden, unknown = answers
    assert [each["name"] for each in listed.structured_content["result"]] == ["gmv", "orders"]
    assert explained.structured_content["metric"] == "gmv"
    command = [
        "gnomon",
        "query",
        "gmv",
        "--by",
        "metric_time__month",
        "--order",
        "metric_time__month",
        "--format",
        "json",
    ]
    there = json.loads(run_command(command, built.environ).stdout)
    assert [row["gmv"] for row in queried.structured_content["rows"]] == pytest.approx(
        [row["gmv"] for row in there["rows"]]
    )
    assert "select" in planned.structured_content["sql"].lower()
    assert forbidden.is_error
    assert "may not ask for metric 'views'" in forbidden.content[0].text
    assert unknown.is_error
    assert "Did you mean 'gmv'" in unknown.content[0].text


def test_an_assistant_asks_over_stdin_and_stdout_as_a_role(built_sample: Built, folder: Path) -> None:
    arguments = ["serve", "--stdio", "shop_team", "--project-dir", str(folder)]
    server = StdioServerParameters(
        command=str(BIN / "gnomon"), args=arguments, env={**os.environ, **built_sample.environ}
    )

    async def talk() -> list[Any]:
        async with stdio_client(server) as streams, ClientSession(*streams) as session:
            return await use(session)

    check(asyncio.run(talk()), built_sample)


def test_an_assistant_asks_over_http_with_a_key(built_sample: Built, folder: Path) -> None:
    made = run_command(
        ["gnomon", "keys", "create", "assistant", "--role", "shop_team", "--project-dir", str(folder)],
        built_sample.environ,
    )
    key = made.stdout.strip()

    async def talk(address: str, headers: dict[str, str]) -> list[Any]:
        import httpx2

        async with (
            httpx2.AsyncClient(headers=headers) as client,
            streamable_http_client(f"{address}/mcp", http_client=client) as streams,
            ClientSession(*streams[:2]) as session,
        ):
            return await use(session)

    with serve(built_sample, folder, "--mcp") as address:
        check(asyncio.run(talk(address, {"Authorization": f"Bearer {key}"})), built_sample)
        answers = asyncio.run(talk(address, {}))
        assert all(answer.is_error for answer in answers)
        assert "nobody is let in without a key" in answers[0].content[0].text
