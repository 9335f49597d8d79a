"""Room 1: operational state: keys and the log of questions, in SQLite or Postgres."""

from __future__ import annotations

from gnomon.state.database import StateDatabase
from gnomon.state.keys import Key, KeyRing
from gnomon.state.log import Entry, QuestionLog

__all__ = ["Entry", "Key", "KeyRing", "QuestionLog", "StateDatabase"]
