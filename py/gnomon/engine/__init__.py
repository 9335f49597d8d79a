"""Room 3: the one door to numbers. A question goes in, rows with their provenance come out."""

from gnomon.engine.build_record import BuildRecord
from gnomon.engine.cache import AnswerCache, Cache
from gnomon.engine.comparing import WrongRollups, find_difference
from gnomon.engine.engine import Engine
from gnomon.engine.house import EngineHouse
from gnomon.engine.result import Provenance, Result
from gnomon.engine.sql_door import Limits, SqlDoor
from gnomon.planner import Condition

__all__ = [
    "AnswerCache",
    "BuildRecord",
    "Cache",
    "Condition",
    "Engine",
    "EngineHouse",
    "Limits",
    "Provenance",
    "Result",
    "SqlDoor",
    "WrongRollups",
    "find_difference",
]
