"""Room 1: who may see what, as access.yml says it."""

from __future__ import annotations

from gnomon.access.loading import read_policies
from gnomon.access.policy import EVERYTHING, Policy, SmallestCell

__all__ = ["EVERYTHING", "Policy", "SmallestCell", "read_policies"]
