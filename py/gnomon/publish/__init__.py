"""Room 4, publish: a whole and green build becomes an immutable generation, and one pointer says which is served."""

from gnomon.publish.publishing import DEFAULT_KEEP, Effect, Publication, check_keep, publish
from gnomon.publish.service import Rollback, Shown, list_generations, roll_back

__all__ = [
    "DEFAULT_KEEP",
    "Effect",
    "Publication",
    "Rollback",
    "Shown",
    "check_keep",
    "list_generations",
    "publish",
    "roll_back",
]
