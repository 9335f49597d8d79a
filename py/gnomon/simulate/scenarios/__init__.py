"""Scenarios: what happens to a world beside its usual life, read from files and played day by day."""

from __future__ import annotations

from gnomon.simulate.effects import Effects, start_effects
from gnomon.simulate.scenarios.actions import keep_cover
from gnomon.simulate.scenarios.adaptation import answer_actions, rotate_origins
from gnomon.simulate.scenarios.crew import join_crew, remember_crew
from gnomon.simulate.scenarios.crowds import note_newcomers
from gnomon.simulate.scenarios.interventions import log_interventions, tell_interventions
from gnomon.simulate.scenarios.kinds import KINDS
from gnomon.simulate.scenarios.loading import DEFAULT, list_library, load_scenarios
from gnomon.simulate.scenarios.pushes import place_pushes
from gnomon.simulate.scenarios.scenario import Scenario, Turn
from gnomon.simulate.scenarios.telling import tell_members, tell_scenarios
from gnomon.simulate.state import State
from gnomon.simulate.world import Day

__all__ = [
    "DEFAULT",
    "Scenario",
    "collect_effects",
    "list_library",
    "load_scenarios",
    "log_interventions",
    "place_pushes",
    "tell_interventions",
    "tell_members",
    "tell_scenarios",
]


def collect_effects(state: State, day: Day) -> Effects:
    """Return what the world's scenarios change today; one after the other adds to it.

    It also moves what scenarios remember, and the fingerprints of accounts that change hands.
    """
    effects = start_effects(state.creators.count)
    for number, scenario in enumerate(day.world.scenarios):
        if day.number < scenario.starts_on:
            continue
        turn = Turn(day, state, scenario, number, effects)
        kind = KINDS[scenario.kind]
        if not kind.has_operator:
            note_newcomers(turn)
        if day.number == scenario.starts_on:
            kind.recruit(turn)
        if kind.has_operator:
            remember_crew(turn)
            answer_actions(turn)
            rotate_origins(turn)
            keep_cover(turn)
        if scenario.runs_on(day.number):
            kind.act(turn)
        if kind.has_operator:
            join_crew(turn)
    return effects
