"""Words of `gnomon plan --recommend`: rollups to paste, what they would gain, and what none can serve."""

from __future__ import annotations

import json
from dataclasses import asdict
from itertools import groupby
from typing import TYPE_CHECKING

from gnomon.serve.rendering import align

if TYPE_CHECKING:
    from gnomon.planner import Proposal, Question, Recommendation, Unserved


def render_rollups(found: Recommendation) -> str:
    """Return the proposals as YAML, to be pasted under `config.meta.rollups` of each semantic model."""
    import yaml

    by_model = groupby(sorted(found.proposals, key=lambda each: each.model), key=lambda each: each.model)
    texts = []
    for model, proposals in by_model:
        items = [_describe_rollup(each) for each in proposals]
        listed = yaml.safe_dump(items, sort_keys=False, default_flow_style=None, width=100)
        texts.append(f"# semantic model '{model}', config.meta.rollups\n{listed}")
    return "\n".join(texts).removesuffix("\n") or "# no rollup would save rows"


def render_gains(found: Recommendation) -> str:
    """Return a table of what each proposal would save, and the questions that no rollup can serve, with the reason."""
    lines = [f"the log reads {found.rows_read:,} rows"]
    if found.proposals:
        columns = [
            ("rollup", [each.rollup.name for each in found.proposals], False),
            ("rows", [f"{each.rows:,}" for each in found.proposals], True),
            ("of its table", [f"{each.table_rows:,}" for each in found.proposals], True),
            ("reads", [f"{each.reads:,}" for each in found.proposals], True),
            ("rows not read", [f"{each.rows_saved:,}" for each in found.proposals], True),
            ("of all", [f"{each.rows_saved / found.rows_read:.1%}" for each in found.proposals], True),
            ("seconds saved", [_show_seconds(each) for each in found.proposals], True),
        ]
        lines.append(align(columns))
    lines += [f"not served, asked {each.count:,}x: {_tell(each.question)}: {each.why}" for each in found.unserved]
    return "\n".join(lines)


def describe_recommendation(found: Recommendation) -> str:
    """Return the same as JSON."""
    proposals = [
        {
            "semantic_model": each.model,
            "rollup": _describe_rollup(each),
            "rows": each.rows,
            "table_rows": each.table_rows,
            "reads": each.reads,
            "rows_saved": each.rows_saved,
            "seconds_saved": each.seconds,
        }
        for each in found.proposals
    ]
    unserved = [{"question": _list_asked(each), "why": each.why, "count": each.count} for each in found.unserved]
    document = {"rows_read": found.rows_read, "proposals": proposals, "unserved": unserved}
    return json.dumps(document, indent=2, default=str)


def _describe_rollup(proposal: Proposal) -> dict[str, object]:
    rollup = proposal.rollup
    return {
        "name": rollup.name,
        "grain": rollup.grain.value,
        "dimensions": list(rollup.dimensions),
        "measures": list(rollup.measures),
    }


def _list_asked(unserved: Unserved) -> dict[str, object]:
    return {name: value for name, value in asdict(unserved.question).items() if value not in ((), None, False, True)}


def _show_seconds(proposal: Proposal) -> str:
    return "-" if proposal.seconds is None else f"{proposal.seconds:,.1f}"


def _tell(question: Question) -> str:
    by = f" by {', '.join(question.group_by)}" if question.group_by else ""
    return f"{', '.join(question.metrics) or 'values'}{by}"
