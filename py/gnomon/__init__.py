"""Gnomon: a metrics layer for creator governance. `Engine` is the one door to numbers; `connect` asks a server."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gnomon.engine import Engine
    from gnomon.serve.client import connect

__all__ = ["Engine", "connect"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    # The engine brings in DuckDB and sqlglot; `import gnomon` alone must not pay for them.
    if name == "Engine":
        from gnomon.engine import Engine

        return Engine
    if name == "connect":
        from gnomon.serve.client import connect

        return connect
    raise AttributeError(f"module 'gnomon' has no attribute '{name}'")
