"""A world on disk, so that it can be taken up again where it stopped: its definition and its state.

The state at the end of day n - 1 lies in truth/state-n; truth/world.json, replaced last, names the
one that counts.
"""

from __future__ import annotations

import json
import shutil
from dataclasses import asdict
from pathlib import Path

import pyarrow.parquet as pq

from gnomon.core.errors import WarehouseError
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.scale import Scale
from gnomon.simulate.scenarios import Scenario
from gnomon.simulate.state import State
from gnomon.simulate.world import World
from gnomon.simulate.writing import TRUTH_FOLDER

_POINTER = "world.json"


def save_world(world: World, state: State, folder: Path) -> None:
    """Write the state into `folder`/truth and let the pointer name it; the state before it is kept."""
    place = folder / TRUTH_FOLDER
    target = place / _name_state(state.next_day)
    partial = target.with_name(f"{target.name}.partial")
    for leftover in (partial, target):
        shutil.rmtree(leftover, ignore_errors=True)
    _write_state(state, partial)
    partial.rename(target)
    document = {"world": asdict(world), "state": target.name}
    pointer = place / f"{_POINTER}.partial"
    pointer.write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")
    pointer.replace(place / _POINTER)
    # The one before stays: a step that was killed is done again from it.
    for earlier in sorted(place.glob("state-*"))[:-2]:
        shutil.rmtree(earlier)


def is_saved(folder: Path) -> bool:
    """Tell whether a world was saved in `folder`/truth to its end."""
    return (folder / TRUTH_FOLDER / _POINTER).is_file()


def load_world(folder: Path, next_day: int | None = None) -> tuple[World, State]:
    """Return the world that was saved in `folder`/truth, by default its newest state.

    WarehouseError if none was saved, or none of the day asked for.
    """
    place = folder / TRUTH_FOLDER
    try:
        document = json.loads((place / _POINTER).read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise WarehouseError(
            f"{place / _POINTER}: missing, so the world in {folder} cannot be taken up again. "
            "`gnomon simulate --keep-state` writes it."
        ) from None
    told = document["world"]
    played = [Scenario(**{**scenario, "regions": tuple(scenario["regions"])}) for scenario in told["scenarios"]]
    world = World(seed=told["seed"], start=told["start"], scale=Scale(**told["scale"]), scenarios=tuple(played))
    place /= document["state"] if next_day is None else _name_state(next_day)
    if not place.is_dir():
        raise WarehouseError(f"{place}: no state of that day was kept. Make the world again with `gnomon simulate`.")
    return world, _read_state(place)


def _name_state(next_day: int) -> str:
    return f"state-{next_day:05d}"


def _write_state(state: State, folder: Path) -> None:
    folder.mkdir(parents=True)
    for kind, ledgers in _group_ledgers(state).items():
        (folder / kind).mkdir()
        for name, ledger in ledgers.items():
            ledger.save(folder / kind / f"{name}.npz")
    for table, parts in state.outbox.waiting.items():
        for number, rows in enumerate(parts):
            (folder / "outbox" / table).mkdir(parents=True, exist_ok=True)
            pq.write_table(rows, folder / "outbox" / table / f"{number:03d}.parquet", compression="zstd")
    document = {"next_day": state.next_day, "numbers": state.numbers}
    (folder / "state.json").write_text(json.dumps(document, indent=2) + "\n", encoding="utf-8")


def _read_state(folder: Path) -> State:
    document = json.loads((folder / "state.json").read_text(encoding="utf-8"))
    state = State(next_day=document["next_day"], numbers=document["numbers"])
    for path in sorted((folder / "ledger").glob("*.npz")):
        setattr(state, path.stem, Ledger.load(path))
    state.agenda.topics = {path.stem: Ledger.load(path) for path in sorted((folder / "agenda").glob("*.npz"))}
    state.others = {path.stem: Ledger.load(path) for path in sorted((folder / "others").glob("*.npz"))}
    for path in sorted((folder / "outbox").glob("*/*.parquet")):
        state.outbox.waiting.setdefault(path.parent.name, []).append(pq.read_table(path))
    return state


def _group_ledgers(state: State) -> dict[str, dict[str, Ledger]]:
    return {
        "ledger": {name: value for name, value in vars(state).items() if isinstance(value, Ledger)},
        "agenda": state.agenda.topics,
        "others": state.others,
    }
