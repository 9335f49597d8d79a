"""The kinds of scenario by name: harmful ones, circumstances, and benign twins."""

from __future__ import annotations

from gnomon.simulate.scenarios.kinds import benign_crowds, benign_sharing, circumstances, operated, platform
from gnomon.simulate.scenarios.kinds.kind import Kind

KINDS: dict[str, Kind] = {
    kind.name: kind
    for family in (operated, platform, circumstances, benign_crowds, benign_sharing)
    for kind in family.KINDS
}

__all__ = ["KINDS", "Kind"]
