"""What really is so, written apart from the raw tables: for evaluation only."""

from __future__ import annotations

from pathlib import Path

from gnomon.simulate import content, people, rulings, scenarios
from gnomon.simulate.state import State
from gnomon.simulate.world import World
from gnomon.simulate.writing import write_truth


def write(world: World, state: State, folder: Path) -> None:
    """Write all that is true at the state's moment into `folder`/truth."""
    write_truth(
        folder,
        {
            "accounts": people.tell_truth(state),
            "content": content.tell_truth(state),
            "actions": rulings.tell_truth(state),
            "scenarios": scenarios.tell_scenarios(world),
            "members": scenarios.tell_members(world, state),
            "interventions": scenarios.tell_interventions(world),
        },
    )
