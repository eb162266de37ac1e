"""The seam to moratoria: until when handling stands still for a class in an area, and why."""

from __future__ import annotations

import importlib
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session


def told(session: Session, category_id: int, area_code: str, now: datetime) -> Any | None:
    """Return the moratorium that cases of a class in an area fall under now; None without one.

    It has `valid`, `reason` for the desk and `public_note` for everybody.
    """
    rules: Any = importlib.import_module("grids.responsibility")
    return rules.moratorium_of(session, category_id, area_code, now)


def until(session: Session, category_id: int, area_code: str, now: datetime) -> datetime | None:
    """Return the end of the moratorium that holds now; None where there is none.

    The rules stand in a room above this one, which is therefore asked by name (`told`). One
    without an end holds no clock: nobody could say when it goes on.
    """
    found = told(session, category_id, area_code, now)
    ends: datetime | None = found.valid.upper if found is not None else None
    return ends
