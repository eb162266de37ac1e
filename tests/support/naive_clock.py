"""A second calculator of limits: it walks minute by minute over a list of days of its own.

The days were written down from the State Council's notices of 2024, 2025 and 2026, not from
the product's table nor from the package that table comes from. Slow and plain on purpose.
"""

from datetime import date, datetime, timedelta, timezone

CHINA = timezone(timedelta(hours=8))
MINUTE = timedelta(minutes=1)

#: First and last day off, as the notices say them.
OFF = (
    "2024-01-01 2024-01-01", "2024-02-10 2024-02-17", "2024-04-04 2024-04-06",
    "2024-05-01 2024-05-05", "2024-06-10 2024-06-10", "2024-09-15 2024-09-17",
    "2024-10-01 2024-10-07",
    "2025-01-01 2025-01-01", "2025-01-28 2025-02-04", "2025-04-04 2025-04-06",
    "2025-05-01 2025-05-05", "2025-05-31 2025-06-02", "2025-10-01 2025-10-08",
    "2026-01-01 2026-01-03", "2026-02-15 2026-02-23", "2026-04-04 2026-04-06",
    "2026-05-01 2026-05-05", "2026-06-19 2026-06-21", "2026-09-25 2026-09-27",
    "2026-10-01 2026-10-07",
)  # fmt: skip
#: Saturdays and Sundays that are worked instead.
WORKED = (
    "2024-02-04", "2024-02-18", "2024-04-07", "2024-04-28", "2024-05-11", "2024-09-14",
    "2024-09-29", "2024-10-12",
    "2025-01-26", "2025-02-08", "2025-04-27", "2025-09-28", "2025-10-11",
    "2026-01-04", "2026-02-14", "2026-02-28", "2026-05-09", "2026-09-20", "2026-10-10",
)  # fmt: skip


def is_workday(day: date) -> bool:
    text = day.isoformat()
    if text in WORKED:
        return True
    for line in OFF:
        first, last = line.split()
        if first <= text <= last:
            return False
    return day.weekday() not in (5, 6)


def is_working(minute: datetime) -> bool:
    local = minute.astimezone(CHINA)
    if not is_workday(local.date()):
        return False
    clock = local.hour * 60 + local.minute
    return 8 * 60 + 30 <= clock < 12 * 60 or 14 * 60 <= clock < 17 * 60 + 30


def due(start: datetime, value: float, unit: str) -> datetime:
    """Return when a limit ends that begins at a whole minute."""
    if unit == "elapsed_hour":
        return start + timedelta(minutes=round(value * 60))
    if unit == "work_hour":
        return _after_minutes(start, round(value * 60))
    return _after_days(start, int(value))


def _after_minutes(start: datetime, wanted: int) -> datetime:
    now = start
    while wanted:
        if is_working(now):
            wanted -= 1
        now += MINUTE
    return now


def _after_days(start: datetime, wanted: int) -> datetime:
    day = start.astimezone(CHINA).date()
    while wanted:
        day += timedelta(days=1)
        if is_workday(day):
            wanted -= 1
    return datetime(day.year, day.month, day.day, 17, 30, tzinfo=CHINA)
