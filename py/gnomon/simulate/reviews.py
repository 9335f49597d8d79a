"""The labels that imperfect reviewers give to what was sampled, as they get done."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import DTypeLike, NDArray

from gnomon.simulate import queue
from gnomon.simulate.frames import FRAMES, LIVE_CONTENT, REGISTRATIONS, UPLOADS, VIEWS
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.luck import draw_luck, draw_lucky_delays
from gnomon.simulate.policies import POLICIES, find_versions_in_force
from gnomon.simulate.queue import Team, Worked
from gnomon.simulate.rows import Rows, hide, write_ids, write_moments, write_words
from gnomon.simulate.state import State
from gnomon.simulate.world import (
    HOUR,
    LANGUAGE_NAMES,
    NEVER,
    NONE,
    Bools,
    Day,
    Floats,
    Ints,
    Texts,
    World,
    draw_arrivals,
)

SENSITIVITY = 0.93
SPECIFICITY = 0.98

SAMPLE = "sampling.sample"
FIRST, DOUBLE, GOLD = range(3)
_KINDS = 3

_RESPONDS = 0.97
_DOUBLE_SHARE = 0.10
_GOLD_SHARE = 0.05
_NAMES_RIGHT = 0.92
_AIGC_ERRS = 0.05
# A reviewer for every so many reviews a week, and never fewer than the least.
_PER_REVIEWER, _LEAST_REVIEWERS = 100, 12
# Some reviewers are more careful than others: spread of their errors in logs.
_CARE = 0.25


def make_sample(**more: DTypeLike) -> Ledger:
    """Return an empty ledger of sampled members; `policy` and `is_positive` are the truth."""
    return Ledger(
        week=np.int64,
        frame=np.int64,
        stratum=np.int64,
        target=np.int64,
        item=np.int64,
        account=np.int64,
        occurred_at=np.int64,
        known_at=np.int64,
        language=np.int64,
        policy=np.int64,
        is_positive=bool,
        **more,
    )


def make_team(world: World) -> Team:
    """Return the reviewers of samples: a pool of their own, planned for all first, double and gold reviews."""
    return Team("reviews", world.scale.reviews_per_week / 7 * (1.0 + _DOUBLE_SHARE + _GOLD_SHARE))


def name_designs(world: World, frame: Ints, week: Ints) -> Texts:
    """Return the id of each frame's design of a week."""
    start = date(1970, 1, 1) + timedelta(seconds=world.start)
    pairs = zip(frame.tolist(), week.tolist(), strict=True)
    return np.array([f"{FRAMES[f].name}-{start + timedelta(weeks=w)}" for f, w in pairs], dtype=np.str_)


def send(state: State, day: Day, drawn: dict[str, NDArray[Any]], probability: float, release: int) -> None:
    """Send a closed sample to the reviewers, spread over `release` seconds; a few never get an answer."""
    sample = state.others.setdefault(SAMPLE, make_sample(probability=float, label_known_at=np.int64))
    drawn = {name: values for name, values in drawn.items() if name != "luck"}
    # In the order of their moments, so that nothing else about them shows.
    order = np.lexsort((drawn["target"], drawn["occurred_at"]))
    drawn = {name: values[order] for name, values in drawn.items()}
    numbers = sample.append(**drawn, probability=probability, label_known_at=int(NEVER))
    names = _name_members(sample, numbers)
    wait = np.floor(draw_luck(day.world, "release", *names) * release).astype(np.int64)
    arrived = np.maximum(drawn["known_at"], day.ends_at + wait)
    answers = draw_luck(day.world, "responds", *names) < _RESPONDS
    _put(state, day.world, numbers[answers], FIRST, arrived[answers])


def _put(state: State, world: World, numbers: Ints, kind: int, arrived: Ints) -> None:
    language = state.others[SAMPLE]["language"][numbers]
    queue.put(state, make_team(world), numbers * _KINDS + kind, language, arrived, np.zeros(len(numbers)))


def _name_members(sample: Ledger, numbers: Ints) -> tuple[Ints, ...]:
    """Return what identifies sampled members: the same in twins of a world, as far as ids are."""
    return tuple(sample[name][numbers] for name in ("frame", "target", "occurred_at"))


def work(state: State, day: Day) -> None:
    """Let the reviewers work their queue for today, post what they say, and ask for second opinions."""
    worked = queue.work(state, day, make_team(day.world))
    if len(worked.thing) == 0:
        return
    sample = state.others[SAMPLE]
    numbers, kind = worked.thing // _KINDS, worked.thing % _KINDS
    rng = day.draw_stream("reviews")
    known = draw_arrivals(rng, worked.worked_at)
    firsts = kind == FIRST
    sample["label_known_at"][numbers[firsts]] = known[firsts]
    state.outbox.post(rng, "quality_reviews", _tabulate(state, day.world, worked, known))
    # No second opinion without a first one.
    for wanted, share, hours in ((DOUBLE, _DOUBLE_SHARE, 10), (GOLD, _GOLD_SHARE, 30)):
        names = _name_members(sample, numbers)
        chosen = firsts & (draw_luck(day.world, f"opinion {wanted}", *names) < share)
        wait = draw_lucky_delays(day.world, f"opinion wait {wanted}", hours * HOUR, 0.7, *names)
        _put(state, day.world, numbers[chosen], wanted, (worked.worked_at + wait)[chosen])


def _draw_reviewers(world: World, kind: Ints, names: tuple[Ints, ...]) -> Ints:
    """Return who reviews: blind, so a second or third opinion is another reviewer's than the first."""
    count = max(_LEAST_REVIEWERS, round(world.scale.reviews_per_week / _PER_REVIEWER))
    first = np.floor(draw_luck(world, "reviewer", *names) * count).astype(np.int64)
    step = 1 + np.floor(draw_luck(world, "other reviewer", *names, kind) * (count - 1)).astype(np.int64)
    return np.where(kind == FIRST, first, (first + step) % count)


def _weigh_care(world: World, reviewer: Ints) -> Floats:
    """Return the factor on each reviewer's errors, mean about 1."""
    luck = draw_luck(world, "care", reviewer)
    return np.asarray(np.exp(_CARE * 12.0**0.5 * (luck - 0.5)), dtype=np.float64)


def _tabulate(state: State, world: World, worked: Worked, known: Ints) -> Rows:
    """Return rows of quality_reviews in the order in which they were done."""
    numbers, kind = worked.thing // _KINDS, worked.thing % _KINDS
    sample = state.others[SAMPLE]
    member = sample.take(numbers)
    names = _name_members(sample, numbers)
    reviewer = _draw_reviewers(world, kind, names)
    care = _weigh_care(world, reviewer)
    truth: Bools = member["is_positive"]
    luck = draw_luck(world, "label", *names, kind)
    says = queue.judge(
        luck, truth, worked.language, worked.load, (1.0 - SENSITIVITY) * care, (1.0 - SPECIFICITY) * care
    )
    # A wrong "yes" names any policy; only labels of content name one.
    of_content = np.isin(member["frame"], (VIEWS, UPLOADS, LIVE_CONTENT))
    guess = np.floor(draw_luck(world, "label guess", *names, kind) * len(POLICIES)).astype(np.int64)
    right = truth & (draw_luck(world, "label naming", *names, kind) < _NAMES_RIGHT)
    policy = np.where(says & of_content, np.where(right, member["policy"], guess), NONE)
    item = np.maximum(member["item"], 0)
    items = state.items.take(item) if state.items.count else {}
    uploaded = items.get("uploaded_at", np.zeros(len(item), dtype=np.int64))
    is_aigc = items.get("is_aigc", np.zeros(len(item), dtype=bool))
    is_aigc = is_aigc ^ (draw_luck(world, "label aigc", *names, kind) < _AIGC_ERRS)
    strata = [FRAMES[f].strata[s] for f, s in zip(member["frame"], member["stratum"], strict=True)]
    # Whoever registers is a creator only if the account is one's.
    creator = member["account"]
    is_viewer = (member["frame"] == REGISTRATIONS) & (state.accounts["creator"][creator] < 0)
    targets = _write_targets(member["frame"], member["target"])
    count = int(max(_LEAST_REVIEWERS, round(world.scale.reviews_per_week / _PER_REVIEWER)))
    return {
        "quality_review_id": write_ids("y", state.number("quality_reviews", len(numbers))),
        "design_id": name_designs(world, member["frame"], member["week"]),
        "stratum": np.array(strata, dtype=np.str_),
        "cluster_id": targets,
        "target_type": write_words(np.array([frame.target_type for frame in FRAMES]), member["frame"]),
        "target_id": targets,
        "content_id": write_ids("c", member["item"]),
        "creator_id": write_ids("a", np.where(is_viewer, NONE, creator)),
        "reviewer_id": write_words(np.array([f"reviewer-{n:03d}" for n in range(1, count + 1)]), reviewer),
        "language": write_words(LANGUAGE_NAMES, member["language"]),
        "policy_id": write_words(POLICIES, policy),
        "policy_version": hide(find_versions_in_force(state, np.maximum(policy, 0), uploaded), policy < 0),
        "inclusion_probability": member["probability"],
        "is_positive": says,
        "is_aigc": hide(is_aigc, ~of_content),
        "is_double": kind == DOUBLE,
        "is_gold": kind == GOLD,
        "gold_is_positive": hide(truth, kind != GOLD),
        "reviewed_at": write_moments(worked.worked_at),
        "occurred_at": write_moments(member["occurred_at"]),
        "ingested_at": write_moments(known),
    }


def _write_targets(frame: Ints, target: Ints) -> pa.Array:
    """Return the ids of the targets, each with the letter of its frame."""
    texts = [write_ids(definition.letter, target).to_numpy(zero_copy_only=False) for definition in FRAMES]
    return pa.array(np.choose(frame, texts), type=pa.string())
