"""Enterprises of the register that are probably entered twice, side by side for a steward."""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final, TextIO

import pandas as pd
from geoalchemy2 import functions as geo
from sqlalchemy import Connection, func, select
from sqlalchemy.orm import Session

from gis.formats import safe_cell
from grids.city import City
from grids.divisions import Area
from grids.enterprises import Enterprise
from grids.matching.linkage import AGREEMENT, find_pairs, reason_of
from grids.matching.pairs import Found, keep

COLUMNS: Final = (
    "score", "id_1", "id_2", "name_1", "name_2", "uscc_1", "uscc_2", "industry_1", "industry_2",
    "area_1", "area_2", "distance_m",
)  # fmt: skip


def enterprises(session: Session) -> pd.DataFrame:
    """Read the enterprises that stand as `find_pairs` wants them; x and y in the city's metres."""
    return enterprises_of(session.connection())


def enterprises_of(connection: Connection) -> pd.DataFrame:
    """Read the same where no session is at hand."""
    city = select(City.metric_srid).limit(1).scalar_subquery()
    place = geo.ST_Transform(Enterprise.geom, city)
    rows = connection.execute(
        select(
            Enterprise.id, Enterprise.name, Enterprise.uscc, Enterprise.industry,
            Enterprise.address_id, Enterprise.area_code, geo.ST_X(place), geo.ST_Y(place),
        )
        .where(Enterprise.valid_to.is_(None))
        .order_by(Enterprise.id)
    )  # fmt: skip
    columns = ["unique_id", "name", "uscc", "industry", "address_id", "area_code", "x", "y"]
    return pd.DataFrame([tuple(row) for row in rows], columns=columns)


def common_words(session: Session) -> tuple[str, ...]:
    """Return what many names begin with: the names of the county and its towns."""
    return common_words_of(session.connection())


def common_words_of(connection: Connection) -> tuple[str, ...]:
    """Return the same where no session is at hand."""
    rows = connection.scalars(
        select(Area.name_zh).where(Area.valid_to.is_(None), func.length(Area.code) <= 9)
    )
    return tuple(sorted(rows, key=lambda name: (-len(name), name)))


def duplicates(session: Session) -> Iterator[tuple[Any, ...]]:
    """Yield pairs of enterprises that are probably one, the likeliest first, as `COLUMNS`."""
    entries = enterprises(session)
    if len(entries) < 2:
        return
    by_id = entries.set_index("unique_id").to_dict("index")
    for pair in find_pairs(entries, common=common_words(session)).itertuples():
        one, other = by_id[pair.a], by_id[pair.b]
        yield (round(pair.score, 4), pair.a, pair.b, *_beside(one, other))


def refresh(session: Session, *, now: datetime) -> int:
    """Look through the whole register and keep what is found for people; return how many pairs."""
    entries = enterprises(session)
    found = told(find_pairs(entries, common=common_words(session))) if len(entries) > 1 else []
    keep(session.connection(), found, source="register", now=now)
    return len(found)


def told(pairs: pd.DataFrame) -> list[Found]:
    """Return pairs of `find_pairs` or `find_matches` with what speaks for each."""
    names = list(AGREEMENT)
    levels = pairs[names].to_dict("records")
    return [
        Found(int(a), int(b), round(float(score), 4), reason_of(evidence), evidence)
        for a, b, score, evidence in zip(
            pairs["a"], pairs["b"], pairs["score"], levels, strict=True
        )
    ]  # fmt: skip


def _beside(one: Mapping[str, Any], other: Mapping[str, Any]) -> tuple[Any, ...]:
    far = ((one["x"] - other["x"]) ** 2 + (one["y"] - other["y"]) ** 2) ** 0.5
    told = [one[name] or "" if given == 0 else other[name] or ""
            for name in ("name", "uscc", "industry", "area_code") for given in (0, 1)]  # fmt: skip
    return (*told, round(far, 1))


def write(out: TextIO, rows: Iterable[tuple[Any, ...]]) -> int:
    """Write pairs as a table that spreadsheets read; return how many."""
    out.write("\ufeff")
    writer = csv.writer(out)
    writer.writerow(COLUMNS)
    written = [writer.writerow([safe_cell(str(cell)) for cell in row]) for row in rows]
    return len(written)
