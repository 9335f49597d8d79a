"""Dashboards as Metabase shows them: what is to be there, the way from what is there to it, and each step of it."""

from __future__ import annotations

from gnomon.publish.metabase.applying import (
    Outcome,
    StoppedApplyError,
    apply,
    destroy,
    read_destruction,
    read_plan,
)
from gnomon.publish.metabase.making import make_wanted
from gnomon.publish.metabase.planning import Effect, Plan, Step
from gnomon.publish.metabase.running import Ran, run_cards
from gnomon.publish.metabase.syncing import Waiting
from gnomon.publish.metabase.transport import Credentials, Transport

__all__ = [
    "Credentials",
    "Effect",
    "Outcome",
    "Plan",
    "Ran",
    "Step",
    "StoppedApplyError",
    "Transport",
    "Waiting",
    "apply",
    "destroy",
    "make_wanted",
    "read_destruction",
    "read_plan",
    "run_cards",
]
