"""Ask random questions and print, per feature, how many answers equal MetricFlow's.

python -m tests.differential --seed 7 --questions 200 --feature cumulative_window
"""

from __future__ import annotations

import argparse
import logging
import sys
import tempfile
from collections import Counter, defaultdict
from pathlib import Path

from tests.differential.features import FEATURES
from tests.differential.judge import Verdict
from tests.differential.ours import answer_ours
from tests.differential.suite import Share, run_share


def main() -> int:
    """Return 1 where an answer of ours differs or is refused."""
    parser = argparse.ArgumentParser(prog="python -m tests.differential", description=__doc__)
    parser.add_argument("--seed", type=int, default=1, help="the first world")
    parser.add_argument("--worlds", type=int, default=1, help="how many worlds")
    parser.add_argument("--questions", type=int, default=100, help="questions to each world")
    parser.add_argument("--feature", action="append", default=[], choices=FEATURES, help="every question has it")
    parser.add_argument("--failures", type=int, default=0, help="so many failures are shown in full")
    parser.add_argument("--theirs-only", action="store_true", help="look at MetricFlow's side only")
    options = parser.parse_args()
    logging.disable(logging.CRITICAL)  # MetricFlow logs its refusals at length
    shares = []
    for seed in range(options.seed, options.seed + options.worlds):
        wishes = [tuple(options.feature)] * options.questions if options.feature else []
        with tempfile.TemporaryDirectory() as folder:
            ours = None if options.theirs_only else answer_ours
            shares.append(run_share(seed, options.questions, Path(folder), ours, wishes, repeat=True))
    verdicts = [verdict for share in shares for verdict in share.verdicts]
    print(write_table(verdicts))
    print(write_counts(shares))
    shown = [(share, verdict) for share in shares for verdict in share.failures][: options.failures]
    for share, verdict in shown:
        print(f"\n{verdict.explain(share.world)}")
    return int(any(verdict.is_failure for verdict in verdicts))


def write_table(verdicts: list[Verdict]) -> str:
    """Return a line per feature: equal, different, refused by us, and the first failure's words."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    first: dict[str, str] = {}
    for verdict in verdicts:
        for feature in ("all", *verdict.asked.features):
            counts[feature][verdict.outcome] += 1
            counts[feature]["rows"] += verdict.rows > 0
            if verdict.is_failure:
                first.setdefault(feature, verdict.why.splitlines()[0])
    lines = [f"{'feature':<24}{'equal':>7}{'differ':>8}{'refused':>9}{'rows':>6}  first failure"]
    for feature in ("all", *FEATURES):
        count = counts[feature]
        numbers = f"{count['equal']:>7}{count['different']:>8}{count['refused']:>9}{count['rows']:>6}"
        lines.append(f"{feature:<24}{numbers}  {first.get(feature, '')[:110]}")
    return "\n".join(lines)


def write_counts(shares: list[Share]) -> str:
    """Return the totals, and why questions were dropped."""
    asked, reasons = sum(len(share.verdicts) for share in shares), Counter[str]()
    for share in shares:
        reasons += share.reasons
    dropped = reasons.total()
    with_rows = sum(verdict.rows > 0 for share in shares for verdict in share.verdicts)
    unmet = Counter(wish for share in shares for wish in share.unmet)
    lines = [
        f"asked {asked}, with rows {with_rows} ({with_rows / max(asked, 1):.1%}), "
        f"dropped {dropped} ({dropped / max(asked + dropped, 1):.1%})"
    ]
    lines += [f"  {count:>4}  {reason}" for reason, count in reasons.most_common(25)]
    if unmet:
        lines.append(f"wishes never met: {sum(unmet.values())}, such as {', '.join(map(str, list(unmet)[:12]))}")
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
