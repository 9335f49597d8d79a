"""Room 3: the one door to numbers. A question goes in, rows with their provenance come out."""

from gnomon.engine.engine import Engine
from gnomon.engine.result import Provenance, Result

__all__ = ["Engine", "Provenance", "Result"]
