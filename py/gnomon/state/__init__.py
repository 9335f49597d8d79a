"""Room 1: operational state: keys and the log of questions, in SQLite or Postgres."""

from __future__ import annotations

from gnomon.state.database import StateDatabase
from gnomon.state.keys import Key, KeyRing
from gnomon.state.log import Counted, Entry, QuestionLog, count_questions

__all__ = ["Counted", "Entry", "Key", "KeyRing", "QuestionLog", "StateDatabase", "count_questions"]
