"""Room 1: operational state: keys, the log of questions and what was made in Metabase, in SQLite or Postgres."""

from __future__ import annotations

from gnomon.state.database import StateDatabase
from gnomon.state.keys import Key, KeyRing
from gnomon.state.log import Counted, Entry, QuestionLog, count_questions
from gnomon.state.metabase import MetabaseMemory, Remembered, Status

__all__ = [
    "Counted",
    "Entry",
    "Key",
    "KeyRing",
    "MetabaseMemory",
    "QuestionLog",
    "Remembered",
    "StateDatabase",
    "Status",
    "count_questions",
]
