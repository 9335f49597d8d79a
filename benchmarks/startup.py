"""How long a process takes to be ready, beside a Python that does nothing.

Promises: `import gnomon` under 300 ms, `gnomon --help` under 500 ms.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.measure import Comparison, compare, run_process


def run() -> Iterator[Comparison]:
    """Yield the comparisons."""
    python = sys.executable
    gnomon = str(Path(python).with_name("gnomon"))
    bare = run_process(python, "-c", "pass")
    yield compare("import gnomon", run_process(python, "-c", "import gnomon"), "bare Python", bare)
    yield compare("gnomon --help", run_process(gnomon, "--help"), "bare Python", bare)
