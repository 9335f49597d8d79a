"""The door in a process of its own: `python -m gnomon.ingest ORDER` writes the verdict as JSON to stdout.

ORDER is a JSON object with `folder`, `out`, `history` and `dry_run`. A caller that builds a
warehouse afterwards has the memory of the sifting back when this process ends. Exits with the
verdict's code, or with 3 and one line on stderr if there is no verdict.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from gnomon.core.errors import GnomonError
from gnomon.ingest.validate import validate

NO_VERDICT = 3


def main() -> int:
    """Judge the batch of the order; return the exit code."""
    order = json.loads(sys.argv[1])
    try:
        verdict = validate(
            Path(order["folder"]),
            out=Path(order["out"]) if order["out"] else None,
            history=Path(order["history"]),
            dry_run=order["dry_run"],
        )
    except GnomonError as error:
        sys.stderr.write(f"{error}\n")
        return NO_VERDICT
    sys.stdout.write(verdict.to_json())
    return verdict.exit_code


if __name__ == "__main__":
    sys.exit(main())
