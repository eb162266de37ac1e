"""From a leaked sample to the export it was taken from.

Each place and each instant of the sample either carries the mark of an export or it does not;
one that was never marked for it does so by chance once in 64 (places) or once in 1,000
(instants). The probability that chance alone gives as many hits, times the number of exports
compared, is what the verdict states.
"""

from __future__ import annotations

import csv
import json
import math
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from sqlalchemy import select
from sqlalchemy.orm import Session

from gis.crs import CRS84, Crs, parse_crs, transform
from grids import audit
from grids.accounts import Account
from grids.errors import Invalid
from grids.exports.marks import MICROSECONDS, PLACES, fitting
from grids.exports.models import ExportRequest

#: Rows beyond these add nothing to the verdict.
MOST_VALUES: Final = 5_000
#: An export is named where chance alone would name a wrong one less often than this.
CERTAIN: Final = 1e-6
LONGEST_SAMPLE: Final = 50 * 1024 * 1024
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_X: Final = ("lon", "lng", "longitude", "x", "easting", "经度")
_Y: Final = ("lat", "latitude", "y", "northing", "纬度")
_INSTANT: Final = re.compile(
    r"(\d{4}-\d{2}-\d{2})[T ](\d{2}:\d{2}:\d{2}\.\d{4,6})\s*(Z|[+-]\d{2}(?::?\d{2})?)"
)
_PAIR: Final = re.compile(r"(-?\d{1,3}\.\d{5,})[\"\s]*[,;\t\s]+[\"\s]*(-?\d{1,3}\.\d{5,})")


class NoSample(Invalid):
    """The file holds no places and no instants that could carry a mark."""

    code = "export.no_sample"


@dataclass(frozen=True)
class Sample:
    """What of a leaked file can carry marks: each value once."""

    places: tuple[tuple[int, int], ...]  #: in millionths of a degree
    instants: tuple[int, ...]  #: in microseconds since 1970


@dataclass(frozen=True)
class Suspect:
    """An export that the sample fits, and how likely it does so by chance."""

    request_id: int
    number: str
    account_id: int
    recipient: str
    layer: str
    asked_at: datetime
    places: int
    instants: int
    error_probability: float


@dataclass(frozen=True)
class Trace:
    """The exports that a sample was taken from, the surest first; empty where it fits none."""

    suspects: tuple[Suspect, ...]
    places: int
    instants: int
    compared: int


def trace(
    session: Session, sample: Sample, *, actor_id: int | None = None, source_ip: str = ""
) -> Trace:
    """Name the exports that a sample was taken from; a search that stands in the audit log.

    More than one is named where rows of several exports were mixed. Raises `NoSample`.
    """
    if not sample.places and not sample.instants:
        raise NoSample("no place and no instant in the sample", field="sample")
    marked = session.execute(
        select(
            ExportRequest.id, ExportRequest.mark_key, ExportRequest.account_id,
            ExportRequest.layer, ExportRequest.asked_at, Account.name, Account.login,
        )
        .join(Account, Account.id == ExportRequest.account_id)
        .where(ExportRequest.mark_key != "")
        .order_by(ExportRequest.id)
    ).all()  # fmt: skip
    suspects = []
    for row in marked:
        places, instants = fitting(row.mark_key, sample.places, sample.instants)
        chance = _chance(sample, places, instants) * len(marked)
        if chance < CERTAIN:
            suspects.append(
                Suspect(
                    row.id, f"E{row.asked_at:%Y%m%d}-{row.id:06d}", row.account_id,
                    f"{row.name} ({row.login})", row.layer, row.asked_at, places, instants, chance,
                )
            )  # fmt: skip
    suspects.sort(key=lambda one: (one.error_probability, -one.places - one.instants))
    found = Trace(tuple(suspects), len(sample.places), len(sample.instants), len(marked))
    audit.record(
        session,
        "export_traced",
        actor_id=actor_id,
        subject=f"export {suspects[0].number}" if suspects else "",
        source_ip=source_ip,
        detail={
            "places": found.places,
            "instants": found.instants,
            "compared": found.compared,
            "named": [one.number for one in suspects[:20]],
        },
    )
    return found


def _chance(sample: Sample, places: int, instants: int) -> float:
    """Bound the probability that chance gives as many hits in one of the two channels."""
    return min(
        1.0,
        2
        * min(
            at_least(places, len(sample.places), 1 / PLACES),
            at_least(instants, len(sample.instants), 1 / MICROSECONDS),
        ),
    )


def at_least(hits: int, of: int, chance: float) -> float:
    """Return the probability of so many hits or more, each with the same chance.

    >>> round(at_least(1, 1, 1 / 64) * 64, 6), at_least(0, 9, 0.5), at_least(0, 0, 0.5)
    (1.0, 1.0, 1.0)
    >>> at_least(50, 50, 1 / 64) < 1e-90
    True
    """
    if hits <= 0:
        return 1.0
    logs = [
        math.lgamma(of + 1) - math.lgamma(k + 1) - math.lgamma(of - k + 1)
        + k * math.log(chance) + (of - k) * math.log1p(-chance)
        for k in range(hits, of + 1)
    ]  # fmt: skip
    top = max(logs)
    return min(1.0, math.exp(top) * math.fsum(math.exp(log - top) for log in logs))


# --- Reading a sample -----------------------------------------------------------------------


def read_sample(path: Path, *, crs: str = "") -> Sample:
    """Read a leaked file: GeoJSON, GeoPackage, CSV, XLSX, a map page, or any text.

    `crs` names the system of coordinates in metres, such as `EPSG:4549`. Raises `NoSample`.
    """
    if path.stat().st_size > LONGEST_SAMPLE:
        raise NoSample("the sample is too large", field="sample")
    system = parse_crs(crs) if crs else CRS84
    ending = path.suffix.lower()
    if ending == ".gpkg":
        places, texts = _from_gpkg(path)
    elif ending == ".xlsx":
        places, texts = _from_table(_sheet_rows(path), system)
    else:
        text = path.read_bytes().decode("utf-8-sig", errors="replace")
        places, texts = _from_text(text, ending, system)
    return sample_of(places, texts)


def sample_of(places: Iterable[tuple[float, float]], texts: Iterable[str]) -> Sample:
    """Make a sample of longitudes and latitudes and of texts that hold instants."""
    distinct = {(round(lon * 1e6), round(lat * 1e6)): None for lon, lat in places}
    instants = {at: None for text in texts for at in _instants(text)}
    sample = Sample(tuple(distinct)[:MOST_VALUES], tuple(instants)[:MOST_VALUES])
    if not sample.places and not sample.instants:
        raise NoSample("no place and no instant in the sample", field="sample")
    return sample


def _from_text(text: str, ending: str, system: Crs) -> tuple[list[tuple[float, float]], list[str]]:
    if ending in (".geojson", ".json"):
        try:
            return list(_positions(json.loads(text))), [text]
        except (ValueError, RecursionError):
            pass  # a torn piece of a file is read as text
    if ending in (".csv", ".tsv"):
        rows = csv.reader(text.splitlines(), delimiter="\t" if ending == ".tsv" else ",")
        places, texts = _from_table(rows, system)
        if places:
            return places, texts
    return [(float(x), float(y)) for x, y in _PAIR.findall(text)], [text]


def _positions(value: Any) -> Iterator[tuple[float, float]]:
    """Find the points of a JSON document, wherever they stand."""
    waiting = [value]
    while waiting:
        one = waiting.pop()
        if isinstance(one, dict):
            place = one.get("coordinates")
            if one.get("type") == "Point" and isinstance(place, list) and len(place) >= 2:
                yield float(place[0]), float(place[1])
            waiting.extend(one.values())
        elif isinstance(one, list):
            waiting.extend(one)


def _from_table(
    rows: Iterable[Iterable[Any]], system: Crs
) -> tuple[list[tuple[float, float]], list[str]]:
    """Read the columns of places by their names, and every cell for instants."""
    table = iter(rows)
    head = [str(cell or "").strip().lower() for cell in next(table, ())]
    x = next((head.index(name) for name in _X if name in head), None)
    y = next((head.index(name) for name in _Y if name in head), None)
    places, texts = [], []
    for row in table:
        cells = list(row)
        texts.append(" ".join(str(cell) for cell in cells if cell is not None))
        if x is not None and y is not None and max(x, y) < len(cells):
            try:
                places.append((float(cells[x]), float(cells[y])))
            except (TypeError, ValueError):
                continue
    if places and not system.is_geographic:
        places = [(float(a), float(b)) for a, b in transform(places, system.srid, CRS84.srid)]
    return places, texts


def _sheet_rows(path: Path) -> Iterator[tuple[Any, ...]]:
    # Late: few samples are workbooks, and it takes time. A sample comes from a stranger.
    from gis.archives import Limits, SheetLimits, workbook_rows

    sheets = SheetLimits(most_cells=5_000_000, most_rows=1_048_576)
    limits = Limits(most_bytes=64 * 2**20, most_unpacked=512 * 2**20)
    yield from workbook_rows(path.read_bytes(), limits=limits, sheets=sheets)


def _from_gpkg(path: Path) -> tuple[list[tuple[float, float]], list[str]]:
    import pyogrio
    import shapely

    meta, _, wkb, columns = pyogrio.raw.read(str(path), max_features=MOST_VALUES)
    shapes = shapely.from_wkb(wkb)
    shapes = shapes[shapely.get_type_id(shapes) == 0]
    places = [(float(x), float(y)) for x, y in shapely.get_coordinates(shapes)]
    system = parse_crs(str(meta["crs"]))
    if places and not system.is_geographic:
        places = [(float(a), float(b)) for a, b in transform(places, system.srid, CRS84.srid)]
    texts = [str(value) for column in columns for value in column if isinstance(value, str)]
    return places, texts


def _instants(text: str) -> Iterator[int]:
    for day, clock, zone in _INSTANT.findall(text):
        seconds, _, fraction = clock.partition(".")
        offset = "+00:00" if zone == "Z" else zone if len(zone) > 3 else f"{zone}:00"
        try:
            at = datetime.fromisoformat(f"{day}T{seconds}{offset}")
        except ValueError:
            continue
        yield (at - _EPOCH) // timedelta(microseconds=1) + int(fraction.ljust(6, "0"))
