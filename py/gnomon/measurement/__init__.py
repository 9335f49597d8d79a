"""Room 2: design-based estimates from probability samples."""

from gnomon.measurement.interval import Interval, bound_difference, bound_proportion

__all__ = ["Interval", "bound_difference", "bound_proportion"]
