"""A small world by hand, in which labels can be watched as they come."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date
from functools import cache

import numpy as np
import pyarrow as pa

from gnomon.simulate import appeals, enforcement, policies, reports, sampling, status
from gnomon.simulate.decisions import Decisions
from gnomon.simulate.effects import Effects, start_effects
from gnomon.simulate.engagement import VIEW, Acts
from gnomon.simulate.policies import SPAM
from gnomon.simulate.rows import write_ids, write_moments
from gnomon.simulate.scale import Scale
from gnomon.simulate.state import State
from gnomon.simulate.world import DAY, HOUR, NEVER, NONE, Day, Ints, World, make_world

START = date(2026, 3, 2)
THAILAND = 1


@dataclass
class Play:
    """A small world by hand: 60 creators, 200 viewers, of whom the last 20 are fake; creators 0 to 9 are bad."""

    seed: int = 5
    creators: int = 60
    viewers: int = 200
    reviews: int = 575
    bad_share: float = 0.7
    world: World = field(init=False)
    state: State = field(init=False)
    known: dict[str, list[pa.Table]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        scale = Scale(60, self.creators, 1.0, 40.0, 0.0, 0.0, self.reviews)
        self.world = make_world(self.seed, scale, START)
        self.state = State()
        policies.found(self.world, self.state)
        self._found_people()

    def _found_people(self) -> None:
        state, count = self.state, self.creators + self.viewers
        number = np.arange(count)
        registered = self.world.start - 400 * DAY + number * HOUR
        state.accounts.append(
            is_creator=number < self.creators,
            is_fake=number >= count - 20,
            region=number % 3,
            channel=0,
            registered_at=registered,
            weight=1.0,
            operator=np.where(number >= count - 20, 0, NONE),
            **dict.fromkeys(("device", "network", "payment", "email"), number + 1),
            creator=np.where(number < self.creators, number, NONE),
            left_at=np.full(count, NEVER),
        )
        whose = np.arange(self.creators)
        spells = ("limited", "suspended", "banned")
        never = np.full(self.creators, NEVER)
        state.creators.append(
            account=whose,
            category=0,
            post_rate=1.0,
            audience=1.0,
            quality=0.5,
            bad_rate=np.where(whose < 10, 0.7, 0.0),
            operator=NONE,
            turns_at=np.where(whose < 10, self.world.start, NONE),
            tier=whose % 4,
            agency=NONE,
            quits_at=never,
            returns_at=never,
            violation_count=0,
            **{f"{name}_at": never for name in spells},
            **{f"{name}_until": never for name in spells},
            favour=1.0,
        )
        rows = {
            "account_id": write_ids("a", number),
            "occurred_at": write_moments(registered),
            "registered_at": write_moments(registered),
            "ingested_at": write_moments(registered + 600),
        }
        state.outbox.post(self.world.draw_stream("test"), "accounts", rows)

    @property
    def day(self) -> Day:
        return self.world.day(self.state.next_day)

    def upload(self, creator: Ints | None = None, policy: Ints | None = None) -> Ints:
        """Upload one item of each creator who may, or what is asked for; bad creators' items break spam mostly."""
        rng = self.day.draw_stream("test uploads")
        asked = creator is not None
        creator = np.arange(self.creators) if creator is None else creator
        luck = rng.random(len(creator))
        uploaded = np.sort(self.day.begins_at + rng.integers(0, DAY, len(creator)))
        if policy is None:
            policy = np.where((creator < 10) & (luck < self.bad_share), SPAM, NONE)
        free = ~enforcement.is_suspended(self.state, creator, uploaded) | asked
        creator, uploaded, policy = creator[free], uploaded[free], policy[free]
        region = self.state.accounts["region"][self.state.creators["account"][creator]]
        return self.state.items.append(
            creator=creator,
            uploaded_at=uploaded,
            language=region,
            policy=policy,
            **dict.fromkeys(("kind", "category", "audio", "link", "media", "caption", "duration"), 0),
            product=NONE,
            is_declared=False,
            detector_score=0.5,
            is_borderline=False,
            is_aigc=False,
            seems_bad=policy >= 0,
            reach=1.0,
            quality=0.5,
            scenario=NONE,
            **{
                name: np.full(len(creator), NEVER)
                for name in ("removed_at", "returned_at", "limited_at", "unlimited_at")
            },
            violation=NONE,
            view_count=0,
        )

    def watch(self, views_per_item: int = 10) -> Acts:
        """Let people see the items of the last three days that are in sight."""
        rng = self.day.draw_stream("test views")
        items = self.state.items
        item = np.repeat(np.flatnonzero(items["uploaded_at"] >= self.day.begins_at - 2 * DAY), views_per_item)
        seen = np.maximum(self.day.begins_at + rng.integers(0, DAY, len(item)), items["uploaded_at"][item] + 60)
        viewer = self.creators + rng.integers(0, self.viewers, len(item))
        there = ~enforcement.hides(self.state, item, seen) & (seen < self.day.ends_at)
        order = np.flatnonzero(there)[np.argsort(seen[there], kind="stable")]
        count = len(order)
        items["view_count"] += np.bincount(item[order], minlength=items.count)
        return Acts(
            number=self.state.number("engagement", count),
            event=np.full(count, VIEW),
            item=item[order],
            viewer=viewer[order],
            surface=np.arange(count) % 3,
            watch_ms=np.full(count, 1000),
            is_ad=np.arange(count) % 50 == 0,
            is_owner=np.zeros(count, dtype=bool),
            occurred_at=seen[order],
            ingested_at=seen[order] + 300,
        )

    def live(self, days: int = 1, decisions: Decisions | None = None, effects: Effects | None = None) -> Play:
        """Live some days as the simulation does; decisions and effects are those of each of them."""
        for _ in range(days):
            day = self.day
            chosen = effects or start_effects(self.creators)
            enforcement.strike(self.state, day, chosen, decisions)
            self.upload()
            enforcement.enforce(self.state, day, chosen, decisions)
            acts = self.watch()
            reports.report(self.state, day, acts)
            self.close(acts)
        return self

    def close(self, acts: Acts | None = None) -> None:
        """End the day after its decisions: appeals, standing, samples, and what is known of them."""
        day = self.day
        appeals.hear(self.state, day)
        status.review(self.state, day)
        sampling.sample(self.state, day, acts if acts is not None else self.watch(0))
        for table, rows in self.state.outbox.collect(day.ends_at).items():
            self.known.setdefault(table, []).append(rows)
        self.state.next_day += 1

    def read(self, table: str) -> pa.Table:
        """Return all rows of a raw table that are known by now, every version of them."""
        return pa.concat_tables(self.known[table])

    def read_latest(self, table: str, key: str) -> dict[str, dict[str, object]]:
        return {str(row[key]): row for row in self.read(table).to_pylist()}


@cache
def play_fifty_days() -> Play:
    """Return fifty days of a small world; nobody may change it."""
    return Play(creators=90).live(50)
