"""Gnomon: a metrics layer for creator governance. `Engine` is the one door to numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from gnomon.engine import Engine

__all__ = ["Engine"]
__version__ = "0.1.0"


def __getattr__(name: str) -> object:
    # The engine brings in DuckDB and sqlglot; `import gnomon` alone must not pay for them.
    if name == "Engine":
        from gnomon.engine import Engine

        return Engine
    raise AttributeError(f"module 'gnomon' has no attribute '{name}'")
