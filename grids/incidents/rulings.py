"""The seam to arbitration: a dispute opens one, a ruling ends it, and both histories agree (T5).

Arbitration stands in a room above this one, which is therefore asked by name. Everything
happens in the transaction of the step, so that neither is there without the other.
"""

from __future__ import annotations

import importlib
from datetime import datetime
from typing import Any, Final

from sqlalchemy.orm import Session

from grids.incidents.models import Incident
from grids.incidents.projection import Fact

DISPUTED: Final = "disputed"


def follow(session: Session, row: Incident, fact: Fact, *, now: datetime) -> None:
    """Open the arbitration of a case that became disputed; end that of one that no longer is."""
    was, now_is = fact.from_status == DISPUTED, fact.to_status == DISPUTED
    if was == now_is:
        return
    rules: Any = importlib.import_module("grids.responsibility.arbitration")
    if now_is:
        rules.open_for(session, row, fact, now=now)
    else:
        rules.end_for(session, row, fact, now=now)
