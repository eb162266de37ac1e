"""Enterprises that another department has entered a second time, found and waiting for a steward."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Final

import numpy as np
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.city import the_city
from grids.matching import finding
from grids.synth.doubles import Doubler

#: One enterprise in so many is there twice, and at most so many of a city.
ONE_IN: Final = 120
MOST: Final = 40
#: The worker looks through larger registers by night: a demonstration does not wait for it.
LARGEST: Final = 60_000
SOURCE: Final = "import"
SHORT_OF_DAYS: Final = 90

_PUT: Final = text("""
    INSERT INTO enterprise (name, uscc, kind, industry, status, staff, registered_on, address_id, source,
                            valid_from, geom)
    SELECT :name, :uscc, kind, industry, status, staff, registered_on, CAST(:address_id AS bigint), :source,
           :on, ST_Transform(ST_SetSRID(ST_MakePoint(:x, :y), :srid), 4490)
    FROM enterprise WHERE id = :of
""")


def enter_twice(session: Session, rng: np.random.Generator, now: datetime, today: date) -> int:
    """Enter some enterprises a second time and look for such pairs once; return how many there are.

    Nothing is done where a register is empty or too large to look through at once.
    """
    entries = finding.enterprises(session)
    if not ONE_IN <= len(entries) <= LARGEST:
        return 0
    city = the_city(session)
    doubler = Doubler(rng, city.name_zh)
    count = min(MOST, len(entries) // ONE_IN)
    rows = entries.to_dict("records")
    for which in rng.choice(len(rows), count, replace=False).tolist():
        row = rows[which]
        twin = doubler.double(row)
        # Codes are unique in the register: whoever enters one a second time has none, or mistypes it.
        code = None if twin["uscc"] == row["uscc"] else twin["uscc"]
        address = None if np.isnan(twin["address_id"] or np.nan) else int(twin["address_id"])
        session.execute(_PUT, {
            "name": twin["name"], "uscc": code, "address_id": address, "source": SOURCE,
            "on": today - timedelta(days=int(rng.integers(1, SHORT_OF_DAYS))),
            "x": twin["x"], "y": twin["y"], "srid": city.metric_srid, "of": row["unique_id"],
        })  # fmt: skip
    return finding.refresh(session, now=now)
