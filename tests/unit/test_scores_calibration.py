"""Calibration: monotone, bounded, and near the truth where the truth is known."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gnomon.scores.calibration import fit_platt, measure_auc, measure_calibration_error


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.tuples(st.floats(-8, 8), st.booleans()), min_size=4, max_size=60).filter(
        lambda rows: len({label for _, label in rows}) == 2
    )
)
def test_a_calibrated_score_is_a_probability_and_keeps_the_order(rows: list[tuple[float, bool]]) -> None:
    margins = np.array([margin for margin, _ in rows])
    platt = fit_platt(margins, np.array([label for _, label in rows]))
    probabilities = platt.calibrate(np.sort(margins))
    assert ((probabilities >= 0) & (probabilities <= 1)).all()
    steps = np.diff(probabilities) * np.sign(platt.slope)
    assert (steps >= -1e-12).all()


def test_the_line_that_made_the_labels_is_found_again() -> None:
    rng = np.random.Generator(np.random.Philox(1))
    margins = rng.normal(0, 2, 20_000)
    labels = rng.random(20_000) < 1 / (1 + np.exp(-(0.7 * margins - 1.5)))
    platt = fit_platt(margins, labels)
    assert platt.slope == pytest.approx(0.7, abs=0.05)
    assert platt.intercept == pytest.approx(-1.5, abs=0.05)
    error = measure_calibration_error(platt.calibrate(margins), labels)
    assert error is not None
    assert error < 0.01


def test_perfectly_separated_margins_still_give_finite_numbers() -> None:
    platt = fit_platt(np.array([-3.0, -2.0, 2.0, 3.0]), np.array([False, False, True, True]))
    assert np.isfinite([platt.slope, platt.intercept]).all()
    assert platt.slope > 0


def test_one_class_alone_cannot_be_calibrated_or_ranked() -> None:
    margins, labels = np.array([0.1, 0.2]), np.array([True, True])
    with pytest.raises(ValueError, match="both classes"):
        fit_platt(margins, labels)
    assert measure_auc(margins, labels) is None
    assert measure_auc(np.empty(0), np.empty(0, dtype=np.bool_)) is None
    assert measure_calibration_error(np.empty(0), np.empty(0, dtype=np.bool_)) is None


def test_the_calibration_error_is_the_mean_gap_worked_by_hand() -> None:
    """Two groups of two: |0.1 - 0.5| and |0.8 - 1.0|, each half of the rows: 0.3."""
    error = measure_calibration_error(np.array([0.1, 0.1, 0.8, 0.8]), np.array([False, True, True, True]), bins=2)
    assert error == pytest.approx(0.3)
