"""How much one caller may upload in an hour, kept where all processes see it."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from flask import g

from app.budget import caller_name
from grids import limits

#: A shift's photos of one person; and of one source of the public, which may be many people.
MOST_KIB: Final = 600 * 1024
MOST_KIB_PUBLIC: Final = 300 * 1024


def count_upload(size: int, now: datetime) -> None:
    """Count the bytes of a photo for who sends it, stored before or not. Raises `TooMany`.

    A form that is refused takes its count back with everything else; the lanes bound those.
    """
    most = MOST_KIB if g.get("actor") else MOST_KIB_PUBLIC
    limits.count_use(
        g.session, f"upload:{caller_name()}", most=most, now=now, by=max(1, size // 1024)
    )
