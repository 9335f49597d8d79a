"""Folders of files for other tools: each appears with all of its files at once, or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from gnomon.core.errors import QueryError


def check_new(out: Path) -> None:
    """QueryError if a folder is there already."""
    if out.exists():
        raise QueryError(f"{out}: the folder is there already. Name a new one, or remove it.")


def write_folder(files: Mapping[str, str], out: Path) -> None:
    """Write the text of each file, by its path in the folder."""
    out.parent.mkdir(parents=True, exist_ok=True)
    making = Path(tempfile.mkdtemp(prefix=f".{out.name}-", dir=out.parent))
    try:
        for name, text in files.items():
            path = making / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8", newline="\n")
        making.chmod(0o755)
        making.rename(out)
    except BaseException:
        shutil.rmtree(making, ignore_errors=True)
        raise
