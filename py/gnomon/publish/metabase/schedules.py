"""Schedules as alerts say them: Quartz's cron, of seven parts, whose week begins with Sunday as 1."""

from __future__ import annotations

import re
from typing import Any

from gnomon.publish.metabase.documents import thin
from gnomon.publish.metabase.wanted import Schedule

_WEEK = ("sun", "mon", "tue", "wed", "thu", "fri", "sat")
_DAILY = re.compile(r"0 0 (\d{1,2}) (?:\* \* \?|\? \* \*) \*")
_WEEKLY = re.compile(r"0 0 (\d{1,2}) \? \* ([1-7]|\w{3}) \*")


def write_cron(schedule: Schedule) -> str:
    """Return a schedule as cron."""
    if schedule.weekday is None:
        return f"0 0 {schedule.hour} * * ? *"
    return f"0 0 {schedule.hour} ? * {_WEEK.index(schedule.weekday) + 1} *"


def read_cron(text: str) -> dict[str, Any]:
    """Return the document of a schedule; as it stands where it is none of ours."""
    if daily := _DAILY.fullmatch(text):
        return {"is": "Schedule", "hour": int(daily[1])}
    weekly = _WEEKLY.fullmatch(text)
    if weekly and (weekly[2].isdigit() or weekly[2].lower() in _WEEK):
        day = _WEEK[int(weekly[2]) - 1] if weekly[2].isdigit() else weekly[2].lower()
        return thin({"is": "Schedule", "hour": int(weekly[1]), "weekday": day})
    return {"is": "other", "cron": text}
