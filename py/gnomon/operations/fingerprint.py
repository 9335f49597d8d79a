"""What a build is made from, as one digest: the bytes of the batch and of all definitions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from pathlib import Path

import gnomon

# What dbt reads of a project.
_PROJECT_FILES = ("dbt_project.yml", "profiles.yml")
_PROJECT_FOLDERS = ("models", "metrics", "macros", "seeds", "tests/dbt")
_NOT_ROWS = ("quarantine", "truth")


def fingerprint_batch(folder: Path) -> str:
    """Return the digest of a raw set's record and tables; quarantine and truth beside them are not read."""
    files = [folder / "raw_set.json", *folder.glob("*/*.parquet")]
    return _digest(folder, (path for path in files if path.is_file() and path.parent.name not in _NOT_ROWS))


def fingerprint_definitions(project_dir: Path) -> str:
    """Return the digest of what the project and the package define."""
    package = Path(gnomon.__file__).parent
    return _digest(project_dir, _list_project(project_dir)) + _digest(package, _list_code(package))


def _list_project(project_dir: Path) -> Iterator[Path]:
    yield from (project_dir / name for name in _PROJECT_FILES if (project_dir / name).is_file())
    for folder in _PROJECT_FOLDERS:
        yield from (path for path in (project_dir / folder).rglob("*") if path.is_file() and path.suffix != ".pyc")


def _list_code(package: Path) -> Iterator[Path]:
    yield from (path for path in package.rglob("*") if path.suffix in (".py", ".yml"))


def _digest(root: Path, files: Iterable[Path]) -> str:
    digest = hashlib.sha256()
    for path in sorted(files):
        digest.update(f"\n{path.relative_to(root)} ".encode())
        with path.open("rb") as stream:
            digest.update(hashlib.file_digest(stream, "sha256").digest())
    return digest.hexdigest()[:16]
