"""What the routes of the API share: engines, who may ask, limits, what is kept and what is counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from gnomon.engine import AnswerCache, EngineHouse
from gnomon.serve.http.admission import Gate
from gnomon.serve.http.callers import Callers
from gnomon.serve.http.checking import RollupChecks
from gnomon.serve.http.measures import Measures
from gnomon.serve.http.replies import Replies
from gnomon.state import QuestionLog


@dataclass(frozen=True)
class ServeLimits:
    """How much one question may take, and how many may run.

    An answer of more than `most_rows` rows is refused unless it is paged; one that runs for more than `seconds`
    is stopped. `running` questions run at a time, `waiting` more wait, and the others are sent away. Of the answers
    from rollups the share `checked` is made again from the tables.
    """

    most_rows: int = 50_000
    seconds: float = 30.0
    running: int = 2
    waiting: int = 64
    checked: float = 0.01


@dataclass(frozen=True)
class Service:
    """One running API. `now` gives UTC without a zone."""

    house: EngineHouse
    callers: Callers
    log: QuestionLog
    now: Callable[[], datetime]
    answers: AnswerCache
    replies: Replies
    limits: ServeLimits = ServeLimits()
    measures: Measures = field(default_factory=Measures)

    def __post_init__(self) -> None:
        object.__setattr__(self, "gate", Gate(self.limits.running, self.limits.waiting))
        object.__setattr__(self, "checks", RollupChecks(self.limits.checked))

    gate: Gate = field(init=False)
    checks: RollupChecks = field(init=False)

    def close(self) -> None:
        """Write what is left of the log and let go of all files."""
        self.log.close()
        self.house.close()
        self.callers.close()
