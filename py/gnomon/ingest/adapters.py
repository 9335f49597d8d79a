"""The adapters that exist, and which one a folder is for."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from gnomon.core.errors import WarehouseError
from gnomon.core.raw_set import RECORD_NAME, check_vacant
from gnomon.ingest import kuairand
from gnomon.ingest.conversion import Conversion
from gnomon.ingest.hashing import read_key

RAW = "raw"


@dataclass(frozen=True)
class Adapter:
    """A converter of one source, and how its folders are recognised."""

    name: str
    looks_for: str
    recognizes: Callable[[Path], bool]
    convert: Callable[..., Conversion]


ADAPTERS = (Adapter("kuairand", kuairand.LOOKS_FOR, kuairand.recognizes, kuairand.convert),)


def find_adapter(folder: Path) -> str:
    """Return 'raw' for a folder that is a raw set already, else the name of its adapter.

    WarehouseError lists what each adapter looks for.
    """
    if (folder / RECORD_NAME).is_file():
        return RAW
    for adapter in ADAPTERS:
        if adapter.recognizes(folder):
            return adapter.name
    problem = "no source is recognised in it" if folder.is_dir() else "no such folder"
    known = "\n".join(f"  {adapter.name:<10} {adapter.looks_for}" for adapter in ADAPTERS)
    raise WarehouseError(
        f"{folder}: {problem}. A folder is known by its files:\n  {RAW:<10} {RECORD_NAME}\n{known}\n"
        "docs/raw.md shows how to write an adapter by hand."
    )


def convert(source: Path, out: Path, *, hash_key: str | None) -> Conversion:
    """Convert `source` to a raw set in `out` with the adapter that its files call for.

    WarehouseError if no adapter knows the folder, if it is a raw set already, or as the
    adapter says.
    """
    return check_conversion(source, out, hash_key=hash_key).convert(source, out, hash_key=hash_key)


def check_conversion(source: Path, out: Path, *, hash_key: str | None) -> Adapter:
    """Return the adapter that would convert `source`, having checked all but the rows."""
    name = find_adapter(source)
    if name == RAW:
        raise WarehouseError(f"{source}: is a raw set already. Point GNOMON_RAW at it.")
    read_key(hash_key)
    check_vacant(out)
    return next(adapter for adapter in ADAPTERS if adapter.name == name)
