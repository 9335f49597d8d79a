"""Calibration: from a model's margin to a probability, and how far probabilities were off."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]


@dataclass(frozen=True)
class Platt:
    """probability = 1 / (1 + exp(-(slope * margin + intercept)))."""

    slope: float
    intercept: float

    def calibrate(self, margins: Floats) -> Floats:
        """Return one probability per margin, in the order of `margins`; monotone while slope > 0."""
        return np.asarray(_squash(self.slope * margins + self.intercept), dtype=np.float64)


def fit_platt(margins: Floats, labels: npt.NDArray[np.bool_]) -> Platt:
    """Return the Platt scaling of held-out margins, with the targets that its author smooths.

    Platt and not isotonic: two numbers are all that some dozens of positives can carry, and a
    step function would tie creators that the model ranks apart. ValueError without both classes.
    Source: Platt 1999; Newton steps as in Lin, Lin and Weng 2007.
    """
    positives, negatives = int(labels.sum()), int((~labels).sum())
    if not positives or not negatives:
        raise ValueError("Platt scaling needs rows of both classes")
    targets = np.where(labels, (positives + 1) / (positives + 2), 1 / (negatives + 2))
    design = np.column_stack([margins, np.ones_like(margins)])
    weights = np.array([0.0, np.log((positives + 1) / (negatives + 1))])
    loss = _log_loss(design @ weights, targets)
    for _ in range(100):
        probabilities = _squash(design @ weights)
        gradient = design.T @ (probabilities - targets)
        curvature = (design * (probabilities * (1 - probabilities))[:, None]).T @ design
        # The ridge keeps the step finite where all margins are equal.
        step = np.linalg.solve(curvature + 1e-9 * np.eye(2), gradient)
        scale = 1.0
        while (lower := _log_loss(design @ (weights - scale * step), targets)) > loss and scale > 1e-8:
            scale /= 2
        if loss - lower < 1e-10:
            break
        weights, loss = weights - scale * step, lower
    return Platt(slope=float(weights[0]), intercept=float(weights[1]))


def measure_auc(scores: Floats, labels: npt.NDArray[np.bool_]) -> float | None:
    """Return the area under the ROC curve, ties counted half; None without both classes."""
    if labels.all() or not labels.any():
        return None
    from sklearn.metrics import roc_auc_score

    return float(roc_auc_score(labels, scores))


def measure_calibration_error(probabilities: Floats, labels: npt.NDArray[np.bool_], bins: int = 10) -> float | None:
    """Return the expected calibration error over `bins` groups of equal size; None without rows.

    The mean of |mean probability - share of positives| over groups, weighted by rows: 0 to 1.
    Source: Naeini, Cooper and Hauskrecht 2015, with groups of equal size.
    """
    if not len(labels):
        return None
    order = np.argsort(probabilities, kind="stable")
    groups = [group for group in np.array_split(order, bins) if len(group)]
    gaps = [abs(probabilities[group].mean() - labels[group].mean()) * len(group) for group in groups]
    return float(sum(gaps) / len(labels))


def _squash(values: Floats) -> Floats:
    return np.asarray(0.5 * (1.0 + np.tanh(0.5 * values)), dtype=np.float64)


def _log_loss(values: Floats, targets: Floats) -> float:
    return float(np.sum(np.logaddexp(0.0, values) - targets * values))
