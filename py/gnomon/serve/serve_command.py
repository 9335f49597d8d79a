"""`gnomon serve`: the HTTP API of a project."""

from __future__ import annotations

import ipaddress
import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from gnomon.core.errors import DefinitionError, QueryError, WarehouseError, explain_unknown
from gnomon.serve.key_commands import tell_time

if TYPE_CHECKING:
    from gnomon.core.settings import Settings
    from gnomon.serve.http.callers import TokenReader
    from gnomon.serve.http.service import ServeLimits, Service


# How long a thread of Python may keep the others from running; the default is five times as long.
_SWITCH_SECONDS = 0.001


def serve(
    host: Annotated[str, typer.Option("--host", help="The address to listen at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535, help="The port; 0 takes a free one.")] = 8321,
    anonymous: Annotated[
        str | None, typer.Option("--anonymous", help="Let who has no key ask as this role; on this machine only.")
    ] = None,
    most_rows: Annotated[int, typer.Option("--max-rows", min=1, help="The most rows of an answer or page.")] = 50_000,
    seconds: Annotated[float, typer.Option("--timeout", help="Seconds after which a question is stopped.")] = 30.0,
    running: Annotated[int, typer.Option("--running", min=1, help="So many questions run at a time.")] = 2,
    waiting: Annotated[int, typer.Option("--waiting", min=0, help="So many more wait; the others get 429.")] = 64,
    checked: Annotated[
        float,
        typer.Option("--check-rollups", min=0, max=1, help="So much of the answers from rollups is made again."),
    ] = 0.01,
    mcp: Annotated[bool, typer.Option("--mcp", help="Let assistants ask, too, at /mcp.")] = False,
    stdio: Annotated[
        str | None,
        typer.Option("--stdio", help="Serve an assistant over stdin and stdout as this role; no HTTP."),
    ] = None,
    project_dir: Annotated[Path, typer.Option("--project-dir", help="The dbt project's folder.")] = Path(),
) -> None:
    """Answer questions over HTTP from the generation in service, and take up new ones as they are published."""
    import uvicorn

    from gnomon.serve.http.app import create_app
    from gnomon.serve.http.protocol import BoundedProtocol
    from gnomon.serve.http.service import ServeLimits

    limits = ServeLimits(most_rows, seconds, running, waiting, checked)
    if stdio is not None:
        _serve_stdio(open_service(project_dir, limits, stdio))
        return
    if anonymous is not None and not _is_loopback(host):
        raise QueryError(f"--anonymous is for this machine only, and {host} is reached from others. Use keys.")
    service = open_service(project_dir, limits, anonymous)
    try:
        listening = socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except OSError as error:
        service.close()
        raise WarehouseError(f"{host}:{port} cannot be listened at: {error}. --port names another one.") from None
    # Accepted connections inherit it. Without it head and body of an answer wait for each other: 40 ms.
    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    with listening:
        address = f"[{host}]" if ":" in host else host
        typer.echo(f"serving at http://{address}:{listening.getsockname()[1]}; /openapi.json describes it", err=True)
        # Who answers must not wait for a thread that plans or opens a generation.
        sys.setswitchinterval(_SWITCH_SECONDS)
        app = create_app(service, has_mcp=mcp)
        config = uvicorn.Config(app, loop="uvloop", http=BoundedProtocol, log_level="warning", access_log=False)
        uvicorn.Server(config).run(sockets=[listening])


def _serve_stdio(service: Service) -> None:
    from gnomon.serve.mcp_server import create_mcp

    try:
        create_mcp(service).run("stdio")
    finally:
        service.close()


def open_service(project_dir: Path, limits: ServeLimits, anonymous: str | None = None) -> Service:
    """Return all that the API of a project needs; DefinitionError or WarehouseError if it cannot be served."""
    from gnomon.access import read_policies
    from gnomon.core.settings import Settings
    from gnomon.engine import AnswerCache, EngineHouse
    from gnomon.serve.http.callers import Callers
    from gnomon.serve.http.replies import Replies
    from gnomon.serve.http.service import Service
    from gnomon.state import QuestionLog, StateDatabase

    policies = read_policies(project_dir)
    if anonymous is not None and anonymous not in policies:
        raise QueryError(f"--anonymous: {explain_unknown('role', anonymous, policies)}")
    settings = Settings.read(project_dir=project_dir)
    answers, replies = AnswerCache(), Replies()
    house = EngineHouse(project_dir, answers, replies.retire)
    # Nothing is served that cannot be: what is wrong is said now.
    with house.engine() as engine:
        for role in policies:
            engine.find_policy(role)
    database = StateDatabase.open(settings.state)
    return Service(
        house=house,
        callers=Callers(database, tell_time, _open_tokens(settings), anonymous),
        log=QuestionLog(database, settings.spool),
        now=tell_time,
        answers=answers,
        replies=replies,
        limits=limits,
    )


def _open_tokens(settings: Settings) -> TokenReader | None:
    from gnomon.serve.http.callers import TokenReader

    if settings.token_key is None:
        return None
    if not settings.token_issuer or not settings.token_audience:
        raise DefinitionError("GNOMON_TOKEN_KEY needs GNOMON_TOKEN_ISSUER and GNOMON_TOKEN_AUDIENCE beside it.")
    return TokenReader.open(settings.token_key, settings.token_issuer, settings.token_audience)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
