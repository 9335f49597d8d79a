"""Samples are what their designs say, and their labels what imperfect reviewers gave so far."""

from __future__ import annotations

import numpy as np
import pytest

from gnomon.simulate import enforcement, sampling
from gnomon.simulate.engagement import Acts
from gnomon.simulate.frames import ACTIONS, FRAMES, UPLOADS, VIEWS, Frame, Members
from gnomon.simulate.ledger import Ledger
from gnomon.simulate.world import DAY, NONE, Bools
from tests.small_world import START, Play, play_fifty_days


@pytest.fixture(scope="module")
def played() -> Play:
    """Fifty days of the small world; nothing in a test may change it."""
    return play_fifty_days()


def gather(play: Play, count: int, size: int) -> Ledger:
    """Gather `count` uploads of the first week into a sample of `size`, in seven parts."""
    play.state.accounts["region"] = np.zeros(play.state.accounts.count, dtype=np.int64)
    item = play.upload(np.arange(count) % 60)
    moments = play.world.start + np.arange(count) * 6 * DAY // count
    zeros = np.zeros(count, dtype=np.int64)
    everything = Members(UPLOADS, zeros, item, item, np.full(count, NONE), moments, moments, (item, moments))
    for part in np.array_split(np.arange(count), 7):
        sampling._gather(play.state, play.world, everything.take(part))
    return play.state.others["sampling.pool"]


def test_the_running_sample_is_a_simple_random_one_whatever_the_order(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of 200 members 40 are drawn, 60 times over: each a fifth of the time, early and late ones alike."""
    frame = Frame("upload", "content", "c", ("large_markets", "small_markets"), (40, 40))
    monkeypatch.setattr(sampling, "FRAMES", (FRAMES[0], frame, *FRAMES[2:]))
    drawn = np.zeros(200)
    for seed in range(60):
        pool = gather(Play(seed=seed), 200, 40)
        assert pool.count == 40
        drawn[pool["target"]] += 1
    assert drawn.sum() == 60 * 40
    # 12 expected each; the variance of a count is 60 * 0.2 * 0.8.
    assert ((drawn - 12) ** 2).sum() / (60 * 0.2 * 0.8) == pytest.approx(200, rel=0.35)
    assert drawn[:100].mean() == pytest.approx(drawn[100:].mean(), rel=0.08)


def test_designs_state_the_frames_that_they_were_drawn_from(played: Play) -> None:
    designs = played.read_latest("sampling_designs", "design_id")
    rows = played.read("sampling_designs").to_pylist()
    counts: dict[tuple[str, object], int] = {}
    for row in rows:
        counts[row["design_id"], row["stratum"]] = row["frame_size"]
    by_design: dict[str, int] = {}
    for (design, _), size in counts.items():
        by_design[str(design)] = by_design.get(str(design), 0) + size
    for table, frame in (("enforcements", "action"),):
        for design, size in by_design.items():
            if not design.startswith(frame):
                continue
            low, high = designs[design]["occurred_at"], designs[design]["frame_ends_at"]
            keys = {row["enforcement_id"] for row in played.read(table).to_pylist() if low <= row["occurred_at"] < high}
            assert size == len(keys)
    week = played.world.start // DAY
    uploads = played.state.items["uploaded_at"] // DAY - week
    for design, size in by_design.items():
        if design.startswith("upload"):
            first = (designs[design]["occurred_at"].date() - START).days  # type: ignore[attr-defined]
            assert size == int(((uploads >= first) & (uploads < first + 7)).sum())
    assert {row["frame"] for row in rows} == {frame.name for frame in FRAMES} - {"registration"}


def test_reviews_agree_with_their_designs_and_response_counts_only_grow(played: Play) -> None:
    versions: dict[tuple[object, object], list[dict[str, object]]] = {}
    for row in played.read("sampling_designs").to_pylist():
        versions.setdefault((row["design_id"], row["stratum"]), []).append(row)
    firsts: dict[tuple[object, object], list[dict[str, object]]] = {}
    for row in played.read("quality_reviews").to_pylist():
        assert (row["design_id"], row["stratum"]) in versions
        if not row["is_double"] and not row["is_gold"]:
            firsts.setdefault((row["design_id"], row["stratum"]), []).append(row)
    grown = 0
    for key, told in versions.items():
        counts = [row["response_count"] for row in told]
        assert counts == sorted(counts)  # type: ignore[type-var]
        assert told[0]["response_count"] == 0
        grown += len(told) > 2
        last = told[-1]
        reviews = firsts.get(key, [])
        assert len({row["target_id"] for row in reviews}) == len(reviews)
        assert last["inclusion_probability"] == last["sample_size"] / last["frame_size"]  # type: ignore[operator]
        assert {row["inclusion_probability"] for row in reviews} <= {last["inclusion_probability"]}
        known = [row for row in reviews if row["ingested_at"] <= last["ingested_at"]]  # type: ignore[operator]
        assert len(known) == last["response_count"]
        assert len(reviews) <= last["sample_size"]  # type: ignore[operator]
    assert grown > 5


def test_second_opinions_are_other_reviewers_and_come_after_the_first(played: Play) -> None:
    rows = played.read("quality_reviews").to_pylist()
    firsts = {
        (row["design_id"], row["stratum"], row["target_id"]): row
        for row in rows
        if not row["is_double"] and not row["is_gold"]
    }
    seconds_ = [row for row in rows if row["is_double"] or row["is_gold"]]
    assert 0.08 < len(seconds_) / len(firsts) < 0.25
    for row in seconds_:
        first = firsts[row["design_id"], row["stratum"], row["target_id"]]
        assert row["reviewer_id"] != first["reviewer_id"]
        assert row["reviewed_at"] > first["reviewed_at"]
        assert (row["gold_is_positive"] is not None) == row["is_gold"]


def test_a_weighted_sample_finds_the_true_rate_but_for_reviewers_errors(played: Play) -> None:
    rows = [
        row
        for row in played.read("quality_reviews").to_pylist()
        if row["design_id"].startswith("upload") and not row["is_double"] and not row["is_gold"]
    ]
    weight = np.array([1 / row["inclusion_probability"] for row in rows])
    positive = np.array([row["is_positive"] for row in rows])
    truth = float((played.state.items["policy"] >= 0).mean())
    low, high = 0.80 * truth + 0.012 * (1 - truth), 1.0 * truth + 0.05 * (1 - truth)
    assert low < float((weight * positive).sum() / weight.sum()) < high


def test_an_upload_is_reviewed_whether_or_not_it_was_removed_and_a_standing_one_only_if_it_stands(played: Play) -> None:
    pools = played.state.others["sampling.sample"]
    items = played.state.items
    for frame, hidden_ones in ((UPLOADS, True), (UPLOADS + 1, False)):
        item = pools["target"][pools["frame"] == frame]
        gone = enforcement.hides(played.state, item, items["uploaded_at"][item] + DAY)
        assert gone.any() == hidden_ones


def test_memory_of_the_frames_does_not_grow_with_their_size(played: Play) -> None:
    sizes = sum(size for frame in FRAMES for size in frame.scale_sizes(played.world))
    assert played.state.others["sampling.pool"].count <= 2 * sizes
    assert played.state.numbers["engagement"] > 20 * sizes
    running = [name for name in played.state.numbers if name.startswith("sampling.")]
    assert len(running) < 20


def test_ads_and_owners_own_views_are_in_no_frame(played: Play) -> None:
    sample = played.state.others["sampling.sample"]
    assert (sample["frame"] == VIEWS).sum() > 100
    assert (sample["frame"] == ACTIONS).sum() > 20
    play = Play()
    play.upload()
    acts = play.watch(3)
    ads = acts.is_ad | True
    only: dict[str, Bools] = {"is_ad": ads}
    sampling.sample(play.state, play.day, Acts(**{**vars(acts), **only}))
    pool = play.state.others["sampling.pool"]
    assert not (pool["frame"] == VIEWS).any()
