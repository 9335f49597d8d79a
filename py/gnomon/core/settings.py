"""Settings, read from the environment once, at the edge."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

DEFAULT_TARGET = "target"
DEFAULT_MEMORY_LIMIT = "8GB"
DEFAULT_COPY_BUDGET = "2GB"


@dataclass(frozen=True)
class Settings:
    """Where things are, relative to the project's folder; GNOMON_RAW is read by dbt alone.

    GNOMON_COPY          address of the serving copy's Postgres no default; `--to postgres` asks for it
    GNOMON_COPY_BUDGET   the most that one copy may have        default 2GB
    GNOMON_DATABASE      the working DuckDB file dbt builds in  default target/gnomon.duckdb
    GNOMON_GENERATIONS   the folder of published generations    default target/generations
    GNOMON_HASH_KEY      key of the identifier hashes           no default; adapters ask for it
    GNOMON_MEMORY_LIMIT  memory of DuckDB where it writes       default 8GB
    GNOMON_STATE         database of keys and the question log  default sqlite:///state/gnomon.db
    GNOMON_TOKEN_KEY     public key of the tokens to be read    no default; without it none are
    GNOMON_TOKEN_ISSUER, GNOMON_TOKEN_AUDIENCE  what such a token must say
    DBT_TARGET_PATH      dbt's folder of artefacts              default target
    """

    database: Path
    target: Path
    hash_key: str | None
    generations: Path
    memory_limit: str = DEFAULT_MEMORY_LIMIT
    state: str = ""
    spool: Path = Path("state/spool")
    withdrawn: Path = Path("state/withdrawn-rollups.jsonl")
    token_key: Path | None = None
    token_issuer: str | None = None
    token_audience: str | None = None
    # It has a password in it, so nothing shows it.
    copy: str | None = field(default=None, repr=False)
    copy_budget: str = DEFAULT_COPY_BUDGET

    @classmethod
    def read(cls, environ: Mapping[str, str] = os.environ, project_dir: Path = Path()) -> Settings:
        """Return the settings that `environ` gives, with paths under `project_dir`."""
        target = project_dir / environ.get("DBT_TARGET_PATH", DEFAULT_TARGET)
        database = environ.get("GNOMON_DATABASE")
        generations = environ.get("GNOMON_GENERATIONS")
        return cls(
            database=project_dir / database if database else target / "gnomon.duckdb",
            target=target,
            hash_key=environ.get("GNOMON_HASH_KEY"),
            generations=project_dir / generations if generations else target / "generations",
            memory_limit=environ.get("GNOMON_MEMORY_LIMIT", DEFAULT_MEMORY_LIMIT),
            state=environ.get("GNOMON_STATE", f"sqlite:///{project_dir / 'state' / 'gnomon.db'}"),
            spool=project_dir / "state" / "spool",
            withdrawn=project_dir / "state" / "withdrawn-rollups.jsonl",
            token_key=Path(environ["GNOMON_TOKEN_KEY"]) if "GNOMON_TOKEN_KEY" in environ else None,
            token_issuer=environ.get("GNOMON_TOKEN_ISSUER"),
            token_audience=environ.get("GNOMON_TOKEN_AUDIENCE"),
            copy=environ.get("GNOMON_COPY"),
            copy_budget=environ.get("GNOMON_COPY_BUDGET", DEFAULT_COPY_BUDGET),
        )
