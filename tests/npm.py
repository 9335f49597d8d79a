"""Packages of npm that tests run: installed by a lock file, once, into a folder of their own."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
from pathlib import Path

_OLDEST_NODE = 20


class NotInstalledError(Exception):
    """The packages cannot be had here, and why."""


def install_npm(here: Path, folder: Path) -> Path:
    """Return the folder of the modules that the lock file in `here` names; NotInstalledError where it cannot be."""
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        raise NotInstalledError("Node.js and npm are not installed")
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.removeprefix("v").partition(".")[0]) < _OLDEST_NODE:
        raise NotInstalledError(f"Node.js is {version}, and {_OLDEST_NODE} or newer is needed")
    folder.mkdir(parents=True, exist_ok=True)
    wanted, done = (here / "package-lock.json").read_bytes(), folder / "installed.json"
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.is_file() or done.read_bytes() != wanted:
            for name in ("package.json", "package-lock.json"):
                shutil.copyfile(here / name, folder / name)
            command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
            run = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
            if run.returncode:
                raise NotInstalledError(f"npm cannot install it: {run.stderr.strip().splitlines()[0]}")
            done.write_bytes(wanted)
    return folder / "node_modules"
