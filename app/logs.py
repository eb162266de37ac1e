"""One line of JSON per event: kinds, ids and places in the code, never a value of a request.

The usual renderer prints the variables of every frame and the text of the error: names,
numbers and keys of the very request that failed. Here a failure is its kind and its path through
the source; what was asked can be found by the id, by who may see it.
"""

from __future__ import annotations

import traceback
from pathlib import Path
from typing import Final

import structlog

from app.config import ROOT

MOST_FRAMES: Final = 30


def configure() -> None:
    """Write events of this process as JSON; the same again changes nothing."""
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            drop_values,
            structlog.processors.JSONRenderer(ensure_ascii=False),
        ],
        cache_logger_on_first_use=True,
    )


def drop_values(
    _logger: object, _name: str, event: structlog.typing.EventDict
) -> structlog.typing.EventDict:
    """Replace an error by where it went through; its text stays out."""
    error = event.pop("exc_info", None)
    if isinstance(error, BaseException):
        event["went_through"] = went_through(error)
    return event


def went_through(error: BaseException) -> list[str]:
    """Return the kinds of an error and of what caused it, each with its way through the source."""
    found: list[str] = []
    seen: BaseException | None = error
    while seen is not None and len(found) < MOST_FRAMES:
        found.append(type(seen).__name__)
        frames = traceback.extract_tb(seen.__traceback__)[-MOST_FRAMES:]
        found += [f"{_short(frame.filename)}:{frame.lineno} {frame.name}" for frame in frames]
        seen = seen.__cause__ or seen.__context__
    return found


def _short(name: str) -> str:
    path = Path(name)
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else "/".join(path.parts[-2:])
