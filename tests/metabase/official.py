"""Metabase's own command line client (`mb`, from npm), driven against a fake of its server."""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.metabase.fake_server import KEY
from tests.npm import install_npm

HERE = Path(__file__).resolve().parent
FOLDER = Path(os.environ.get("GNOMON_MB_CACHE", HERE.parents[1] / "target" / "bench" / "metabase-cli"))


@dataclass
class OfficialCli:
    """The client, as an API key of the fake; what it says is JSON. `home` is where it keeps its settings."""

    url: str
    home: Path
    script: Path = field(default_factory=lambda: install_npm(HERE, FOLDER) / "@metabase" / "cli" / "dist" / "cli.mjs")

    def run(self, *words: str | int, body: Any = None) -> tuple[int, str, str]:
        """Return how a command ended, its output and its words."""
        command = ["node", str(self.script), *map(str, words)]
        if body is not None:
            command += ["--body", json.dumps(body)]
        environ = {**os.environ, "MB_URL": self.url, "MB_API_KEY": KEY, "HOME": str(self.home), "NO_COLOR": "1"}
        run = subprocess.run(command, env=environ, capture_output=True, text=True, timeout=60, check=False, input="")
        return run.returncode, run.stdout, run.stderr

    def ask(self, *words: str | int, body: Any = None) -> Any:
        """Return what a command answers; AssertionError with its words where it refuses."""
        code, said, words_ = self.run(*words, "--json", "--full", "--max-bytes", 0, body=body)
        assert code == 0, f"mb {' '.join(map(str, words))} ended with {code}: {words_ or said}"
        return json.loads(said)
