"""Weekly probability samples of every frame, drawn as the week goes by, and their designs."""

from __future__ import annotations

import numpy as np

from gnomon.simulate import queue, reviews
from gnomon.simulate.engagement import Acts
from gnomon.simulate.frames import DAYS_PER_WEEK, FRAMES, Members, describe, list_members
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.luck import draw_luck
from gnomon.simulate.reviews import SAMPLE, make_sample, name_designs
from gnomon.simulate.rows import write_moments, write_words
from gnomon.simulate.state import State
from gnomon.simulate.world import DAY, WEEK, Day, Ints, World

# A design's count of responses is told again each week, so many times after its first version.
_RETELLS = 3
# What is drawn goes to the reviewers over the days after the week.
_RELEASE = 6 * DAY

_POOL, _DESIGNS = "sampling.pool", "sampling.designs"


def sample(state: State, day: Day, acts: Acts) -> None:
    """Take the day's members into the running samples, get reviews done, and close the week on its last day."""
    for members in list_members(state, day, acts):
        _gather(state, day.world, members)
    reviews.work(state, day)
    for frame, definition in enumerate(FRAMES):
        closes_on = (DAYS_PER_WEEK - 1 + definition.lag) % DAYS_PER_WEEK
        if day.number % DAYS_PER_WEEK == closes_on and day.number >= DAYS_PER_WEEK - 1 + definition.lag:
            _close(state, day, frame, (day.number - definition.lag) // DAYS_PER_WEEK)
    if day.number % DAYS_PER_WEEK == DAYS_PER_WEEK - 1:
        # What nobody came to in three weeks will not be answered.
        queue.close(state, reviews.make_team(day.world), day.ends_at - _RETELLS * WEEK + _RELEASE)
        _retell(state, day)


def _gather(state: State, world: World, members: Members) -> None:
    """Keep, of each stratum and week, the members with the least luck, as many as its sample; count them all.

    One uniform number per member and the n smallest of them: a simple random sample without
    replacement, whatever the frame's size turns out to be (priority sampling with equal weights).
    """
    frame = FRAMES[members.frame]
    week = (members.occurred_at - world.start) // WEEK
    luck = draw_luck(world, f"sample {frame.name}", *members.names)
    pool = state.others.setdefault(_POOL, make_sample(luck=float))
    sizes = frame.scale_sizes(world)
    for number in np.unique(week).tolist():
        for stratum, size in enumerate(sizes):
            rows = np.flatnonzero((week == number) & (members.stratum == stratum))
            key = _name_count(members.frame, number, stratum)
            state.numbers[key] = state.numbers.get(key, 0) + len(rows)
            there = _find(pool, members.frame, number, stratum)
            limit = pool["luck"][there].max() if len(there) >= size else 1.0
            rows = rows[luck[rows] < limit]
            rows = rows[np.argsort(luck[rows], kind="stable")[:size]]
            _add(state, pool, members.take(rows), number, luck[rows])
            there = _find(pool, members.frame, number, stratum)
            if len(there) > size:
                dropped = there[np.argsort(pool["luck"][there], kind="stable")[size:]]
                stays = np.ones(pool.count, dtype=bool)
                stays[dropped] = False
                pool.keep(stays)


def _name_count(frame: int, week: int, stratum: int) -> str:
    return f"sampling.{FRAMES[frame].name}.{week}.{stratum}"


def _find(pool: Ledger, frame: int, week: int, stratum: int) -> Ints:
    return np.flatnonzero((pool["frame"] == frame) & (pool["week"] == week) & (pool["stratum"] == stratum))


def _add(
    state: State, pool: Ledger, members: Members, week: int, luck: np.ndarray[tuple[int], np.dtype[np.float64]]
) -> None:
    traits = describe(state, members)
    pool.append(
        week=np.full(len(luck), week),
        frame=members.frame,
        stratum=members.stratum,
        target=members.target,
        item=members.item,
        account=traits.account,
        occurred_at=members.occurred_at,
        known_at=members.known_at,
        language=traits.language,
        policy=traits.policy,
        is_positive=traits.is_positive,
        luck=luck,
    )


def _close(state: State, day: Day, frame: int, week: int) -> None:
    """Post the designs of a frame's week, one per stratum that is not empty, and send the sample to the reviewers."""
    designs = state.others.setdefault(
        _DESIGNS,
        Ledger(
            week=np.int64,
            frame=np.int64,
            stratum=np.int64,
            frame_size=np.int64,
            sample_size=np.int64,
            response_count=np.int64,
        ),
    )
    pool = state.others[_POOL]
    new = []
    for stratum in range(len(FRAMES[frame].strata)):
        size = state.numbers.pop(_name_count(frame, week, stratum), 0)
        drawn = _find(pool, frame, week, stratum)
        if size == 0:
            continue
        new.append(
            designs.append(
                week=np.array([week]),
                frame=frame,
                stratum=stratum,
                frame_size=size,
                sample_size=len(drawn),
                response_count=0,
            )
        )
        reviews.send(state, day, pool.take(drawn), len(drawn) / size, _RELEASE)
    pool.keep((pool["frame"] != frame) | (pool["week"] != week))
    if new:
        _post(state, day, np.concatenate(new))


def _retell(state: State, day: Day) -> None:
    """Post again the designs of the last weeks for which more responses are known by now."""
    if SAMPLE not in state.others:
        return
    designs, drawn = state.others[_DESIGNS], state.others[SAMPLE]
    recent = np.flatnonzero(designs["week"] >= day.number // DAYS_PER_WEEK - _RETELLS)
    known = drawn["label_known_at"] <= day.ends_at
    counts = np.array(
        [
            np.count_nonzero(known[_find(drawn, frame, week, stratum)])
            for frame, week, stratum in zip(
                *(designs[name][recent].tolist() for name in ("frame", "week", "stratum")), strict=True
            )
        ],
        dtype=np.int64,
    )
    grown = counts > designs["response_count"][recent]
    designs["response_count"][recent] = counts
    _post(state, day, recent[grown])


def _post(state: State, day: Day, rows: Ints) -> None:
    """Post these designs as they are at the day's end."""
    design = state.others[_DESIGNS].take(rows)
    frames = design["frame"]
    strata = [FRAMES[frame].strata[stratum] for frame, stratum in zip(frames, design["stratum"], strict=True)]
    begins = day.world.start + design["week"] * WEEK
    state.outbox.post(
        day.draw_stream("designs"),
        "sampling_designs",
        {
            "design_id": name_designs(day.world, frames, design["week"]),
            "stratum": np.array(strata, dtype=np.str_),
            "frame": write_words(np.array([frame.name for frame in FRAMES]), frames),
            "cluster_unit": write_words(np.array([frame.cluster_unit for frame in FRAMES]), frames),
            "frame_size": design["frame_size"],
            "sample_size": design["sample_size"],
            "response_count": design["response_count"],
            "inclusion_probability": design["sample_size"] / design["frame_size"],
            "frame_ends_at": write_moments(begins + WEEK),
            "occurred_at": write_moments(begins),
            "ingested_at": write_moments(np.full(len(rows), day.ends_at)),
        },
    )
