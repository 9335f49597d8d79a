"""Probability samples of every frame, and the labels that imperfect reviewers give."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gnomon.simulate.accounts import Accounts
from gnomon.simulate.content import Content
from gnomon.simulate.frames import Frame, list_week_edges
from gnomon.simulate.policies import POLICIES, find_versions
from gnomon.simulate.rows import Rows, hide, number_ids, order_by_time, pick, show_moments, stack_rows
from gnomon.simulate.world import (
    DAY,
    HOUR,
    NONE,
    Bools,
    Floats,
    Ints,
    Texts,
    World,
    draw_arrivals,
    draw_delays,
)

SENSITIVITY = 0.93
SPECIFICITY = 0.98
# Reviewers of Thai items err more.
SENSITIVITY_THAI = 0.84
SPECIFICITY_THAI = 0.96

_RESPONDS = 0.97
_DOUBLE_SHARE = 0.10
_GOLD_SHARE = 0.05
_REVIEWERS = 12


@dataclass(frozen=True)
class Sample:
    """The drawn items of one frame: their place in it, design and inclusion probability."""

    frame: Frame
    item: Ints
    design: Texts
    probability: Floats


@dataclass(frozen=True)
class _Reviews:
    """Reviews before they are named: the frame's item each is of, and what the reviewer said."""

    place: Ints
    reviewer: Ints
    says: Bools
    is_double: Bools
    is_gold: Bools
    reviewed_at: Ints
    known_at: Ints


def review_frame(
    world: World, accounts: Accounts, content: Content, content_ids: Texts, frame: Frame
) -> tuple[Rows, Rows]:
    """Return the designs of a frame, one per week and stratum, and the reviews done by the world's end."""
    sample, strata = _draw_sample(world, frame)
    reviews = _draw_reviews(world, sample)
    return _tabulate_designs(frame, sample, strata, reviews), _tabulate_reviews(
        world, accounts, content, content_ids, sample, reviews
    )


@dataclass(frozen=True)
class _Stratum:
    """A stratum of one week's design that is not empty."""

    design: str
    stratum: int
    frame_size: int
    sample_size: int
    begins_at: int
    ends_at: int


def _draw_sample(world: World, frame: Frame) -> tuple[Sample, list[_Stratum]]:
    """Return a simple random sample without replacement of every stratum of every week.

    A last week that is cut short is sampled in proportion to its length.
    """
    rng = world.draw_stream(f"sample {frame.name}")
    edges = list_week_edges(world)
    items, designs, probabilities, strata = [], [], [], []
    for low, high in zip(edges[:-1].tolist(), edges[1:].tolist(), strict=True):
        week = np.datetime64(low, "s").astype("datetime64[D]")
        inside = (frame.occurred_at >= low) & (frame.occurred_at < high)
        for number, size in enumerate(frame.sizes):
            there = np.flatnonzero(inside & (frame.stratum == number))
            if len(there) == 0:
                continue
            wanted = min(len(there), max(1, -(-size * (high - low) // (7 * DAY))))
            drawn = np.sort(rng.choice(there, wanted, replace=False))
            strata.append(_Stratum(f"{frame.name}-{week}", number, len(there), wanted, low, high))
            items.append(drawn)
            designs.append(np.full(wanted, strata[-1].design))
            probabilities.append(np.full(wanted, wanted / len(there)))
    nothing = np.zeros(0)
    return (
        Sample(
            frame=frame,
            item=np.concatenate([nothing.astype(np.int64), *items]),
            design=np.concatenate([nothing.astype("U1"), *designs]),
            probability=np.concatenate([nothing, *probabilities]),
        ),
        strata,
    )


def _draw_reviews(world: World, sample: Sample) -> _Reviews:
    """Return first, double and gold reviews; those not known by the world's end are left out."""
    rng = world.draw_stream(f"reviews {sample.frame.name}")
    frame, count = sample.frame, len(sample.item)
    language = frame.language[sample.item]
    ready = frame.known_at[sample.item]
    first_at = ready + HOUR + draw_delays(rng, count, 22 * HOUR, 0.8)
    responds = rng.random(count) < _RESPONDS
    # Blind: a second or third opinion is another reviewer's.
    first_by = rng.integers(0, _REVIEWERS, count)
    second_by = (first_by + rng.integers(1, _REVIEWERS, count)) % _REVIEWERS
    third_by = (first_by + rng.integers(1, _REVIEWERS, count)) % _REVIEWERS
    doubled = responds & (rng.random(count) < _DOUBLE_SHARE)
    gold = responds & (rng.random(count) < _GOLD_SHARE)
    second_at = first_at + draw_delays(rng, count, 10 * HOUR, 0.7)
    third_at = first_at + draw_delays(rng, count, 30 * HOUR, 0.7)

    kinds = [(responds, first_by, first_at), (doubled, second_by, second_at), (gold, third_by, third_at)]
    place = np.concatenate([np.flatnonzero(kind[0]) for kind in kinds])
    reviewed = np.concatenate([kind[2][kind[0]] for kind in kinds])
    number = np.concatenate([np.full(int(kind[0].sum()), index) for index, kind in enumerate(kinds)])
    known = draw_arrivals(rng, reviewed)
    says = _judge(rng, frame.is_positive[sample.item][place], language[place])
    reviewer = np.concatenate([kind[1][kind[0]] for kind in kinds])
    done = known <= world.end
    # No second opinion without a first one.
    firsts = np.isin(place, place[done & (number == 0)])
    done &= firsts
    return _Reviews(
        place=place[done],
        reviewer=reviewer[done],
        says=says[done],
        is_double=(number == 1)[done],
        is_gold=(number == 2)[done],
        reviewed_at=reviewed[done],
        known_at=known[done],
    )


def _judge(rng: np.random.Generator, truth: Bools, language: NDArray[np.str_]) -> Bools:
    """Return what reviewers say of items that truly are or are not positive."""
    is_thai = language == "th"
    sensitivity = np.where(is_thai, SENSITIVITY_THAI, SENSITIVITY)
    specificity = np.where(is_thai, SPECIFICITY_THAI, SPECIFICITY)
    return np.asarray(rng.random(len(truth)) < np.where(truth, sensitivity, 1.0 - specificity))


def _tabulate_designs(frame: Frame, sample: Sample, strata: list[_Stratum], reviews: _Reviews) -> Rows:
    """Return rows of sampling_designs; response_count counts first reviews done by the world's end."""
    answered = reviews.place[~reviews.is_double & ~reviews.is_gold]
    names = np.char.add(np.char.add(sample.design[answered], "/"), frame.stratum[sample.item][answered].astype(np.str_))
    responses = dict(zip(*[part.tolist() for part in np.unique(names, return_counts=True)], strict=True))
    ends = np.array([s.ends_at for s in strata], dtype=np.int64)
    return {
        "design_id": np.array([s.design for s in strata], dtype=np.str_),
        "stratum": np.array([frame.strata[s.stratum] for s in strata], dtype=np.str_),
        "frame": np.full(len(strata), frame.name),
        "cluster_unit": np.full(len(strata), frame.cluster_unit),
        "frame_size": np.array([s.frame_size for s in strata], dtype=np.int64),
        "sample_size": np.array([s.sample_size for s in strata], dtype=np.int64),
        "response_count": np.array([responses.get(f"{s.design}/{s.stratum}", 0) for s in strata], dtype=np.int64),
        "inclusion_probability": np.array([s.sample_size / s.frame_size for s in strata], dtype=np.float64),
        "frame_ends_at": show_moments(ends),
        "occurred_at": show_moments(np.array([s.begins_at for s in strata], dtype=np.int64)),
        "ingested_at": show_moments(ends),
    }


def _tabulate_reviews(
    world: World, accounts: Accounts, content: Content, content_ids: Texts, sample: Sample, reviews: _Reviews
) -> Rows:
    """Return rows of quality_reviews in the order of their frame; ids are given when frames are joined."""
    rng = world.draw_stream(f"labels {sample.frame.name}")
    frame, place = sample.frame, reviews.place
    item = sample.item[place]
    count = len(place)
    of_content = np.isin(frame.target_type, ["view", "content"])
    truth = frame.is_positive[item]
    # A wrong "yes" names any policy; only labels of content name one.
    guess = rng.integers(0, len(POLICIES), count)
    policy = np.where(truth & (rng.random(count) < 0.92), frame.policy[item], guess)
    policy = np.where(reviews.says & bool(of_content), policy, NONE)
    uploaded = content.uploaded_at[np.maximum(frame.content[item], 0)]
    is_aigc = content.is_aigc[np.maximum(frame.content[item], 0)] ^ (rng.random(count) < 0.05)
    return {
        "design_id": sample.design[place],
        "stratum": np.array(frame.strata)[frame.stratum[item]],
        "cluster_id": frame.target_id[item],
        "target_type": np.full(count, frame.target_type),
        "target_id": frame.target_id[item],
        "content_id": pick(content_ids, frame.content[item]),
        "creator_id": pick(accounts.account_id, frame.creator[item]),
        "reviewer_id": np.array([f"reviewer-{n:02d}" for n in range(1, _REVIEWERS + 1)])[reviews.reviewer],
        "language": frame.language[item],
        "policy_id": pick(POLICIES, policy),
        "policy_version": hide(find_versions(world, policy, uploaded), policy < 0),
        "inclusion_probability": sample.probability[place],
        "is_positive": reviews.says,
        "is_aigc": hide(is_aigc, np.full(count, not of_content)),
        "is_double": reviews.is_double,
        "is_gold": reviews.is_gold,
        "gold_is_positive": hide(truth, ~reviews.is_gold),
        "reviewed_at": show_moments(reviews.reviewed_at),
        "occurred_at": show_moments(frame.occurred_at[item]),
        "ingested_at": show_moments(reviews.known_at),
    }


def join_reviews(world: World, parts: list[Rows]) -> Rows:
    """Return the raw table quality_reviews: all frames' reviews in the order in which they were done."""
    columns = stack_rows(parts)
    reviewed = np.ma.getdata(columns["reviewed_at"]).astype(np.int64)
    order = order_by_time(world.draw_stream("review order"), reviewed)
    ids = number_ids("y", len(order))
    return {"quality_review_id": ids} | {name: column[order] for name, column in columns.items()}
