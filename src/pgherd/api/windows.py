"""Maintenance windows: when disruptive automatic actions may run.

A window is ``HH:MM-HH:MM`` (every day) or ``Ddd:HH:MM-HH:MM``, in UTC, both ends inclusive at minute precision, and
does not cross midnight (api.md 2.6.8). The schema also lets spaces around it and one-digit minutes pass; we read them
as they are meant, where the reference makes the whole resource invalid (quirk Q11).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WINDOW = re.compile(r" *(?:(Mon|Tue|Wed|Thu|Fri|Sat|Sun):)?(\d{1,2}):(\d{1,2})-(\d{1,2}):(\d{1,2}) *", re.ASCII)


@dataclass(frozen=True)
class Window:
    """``day`` is 0 for Monday, None for every day; ``start`` and ``end`` are minutes after midnight UTC."""

    day: int | None
    start: int
    end: int

    def contains(self, moment: datetime) -> bool:
        """Whether an aware moment in UTC lies inside; the whole last minute belongs to the window."""
        minute = moment.hour * 60 + moment.minute
        return (self.day is None or self.day == moment.weekday()) and self.start <= minute <= self.end

    def next_start(self, moment: datetime) -> datetime:
        """The first start of this window that is not before ``moment``."""
        first = moment.replace(hour=self.start // 60, minute=self.start % 60, second=0, microsecond=0)
        ahead = (first + timedelta(days=days) for days in range(9))
        return next(one for one in ahead if one >= moment and (self.day is None or one.weekday() == self.day))

    def __str__(self) -> str:
        clock = f"{self.start // 60:02d}:{self.start % 60:02d}-{self.end // 60:02d}:{self.end % 60:02d}"
        return clock if self.day is None else f"{DAYS[self.day]}:{clock}"


def parse_window(text: str) -> Window:
    """Read one window.

    Raises ValueError with the reason.
    """
    match = _WINDOW.fullmatch(text)
    if match is None:
        raise ValueError("is not a maintenance window")
    hours, minutes = (int(match[2]), int(match[4])), (int(match[3]), int(match[5]))
    if max(hours) > 23 or max(minutes) > 59:
        raise ValueError("is not a maintenance window")
    start, end = (hour * 60 + minute for hour, minute in zip(hours, minutes, strict=True))
    if end < start:
        raise ValueError("ends before it starts; a window does not cross midnight, write two")
    return Window(DAYS.index(match[1]) if match[1] else None, start, end)


def is_open(windows: Sequence[Window], moment: datetime) -> bool:
    """Whether any window contains the moment; no windows at all means always open."""
    return not windows or any(window.contains(moment) for window in windows)


def next_opening(windows: Sequence[Window], moment: datetime) -> datetime:
    """The moment itself while a window is open, else the earliest next start."""
    return moment if is_open(windows, moment) else min(window.next_start(moment) for window in windows)
