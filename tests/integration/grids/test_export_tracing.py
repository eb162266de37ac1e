"""A leaked sample names its recipient: twenty-two people took the same rows, one copy got out."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from random import Random

import pytest
from openpyxl import Workbook
from sqlalchemy import text
from sqlalchemy.orm import Session

from gis.geojson import Tally
from grids import accounts, exports
from grids.bulk import driver
from tests.support.maps import actor_in, layer

PEOPLE = 22
NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)
MORE = """
    INSERT INTO enterprise (uscc, name, kind, industry, status, registered_on, geom, cell_id,
                            grid_id, area_code)
    SELECT 'X' || lpad(n::text, 17, '0'), '企业' || n, e.kind, e.industry, e.status,
           e.registered_on, ST_SetSRID(ST_MakePoint(120.01 + random() * 0.18,
           29.26 + random() * 0.08), 4490), e.cell_id, e.grid_id, e.area_code
    FROM generate_series(1, 400) AS n,
         (SELECT * FROM enterprise WHERE status <> 'closed' ORDER BY id LIMIT 1) AS e
"""


@pytest.fixture
def copies(mapped: Session) -> dict[str, dict]:
    """The same layer as each of many people took it: number -> GeoJSON document."""
    mapped.execute(text(MORE))
    taken = {}
    for n in range(PEOPLE):
        account = accounts.Account(login=f"planner-{n}", name=f"甲{n}", password_hash="-")
        mapped.add(account)
        mapped.flush()
        actor = accounts.Actor(account.id, account.name, frozenset(),
                               actor_in().permissions, ("339901",))  # fmt: skip
        wanted = exports.selection(layer("enterprise"), actor)
        kept = exports.keep_direct(mapped, wanted, actor, choice={}, reason="planning",
                                   note="for the plan", now=NOW)  # fmt: skip
        marked = exports.marked(wanted, exports.mark_of(mapped, kept))
        conn = driver(mapped.connection())
        rows = exports.count(conn, marked)
        data = b"".join(exports.geojson(conn, marked, rows, Tally()))
        taken[kept.number] = json.loads(data)
    return taken


def places(document: dict) -> list[tuple[float, float]]:
    return [tuple(feature["geometry"]["coordinates"]) for feature in document["features"]]


def named(session: Session, path: Path, crs: str = "") -> list[exports.Suspect]:
    return list(exports.trace(session, exports.read_sample(path, crs=crs)).suspects)


def leak(document: dict, folder: Path, form: str, draw: Random) -> Path:
    """Write fifty rows of a copy as somebody would who wants not to be found."""
    features = draw.sample(document["features"], 50)
    path = folder / f"leak.{form}"
    if form == "geojson":
        bare = [
            {"type": "Feature", "geometry": one["geometry"], "properties": {}} for one in features
        ]
        path.write_text(json.dumps({"type": "FeatureCollection", "features": bare}))
    elif form == "csv":
        with path.open("w", newline="") as file:
            table = csv.writer(file)
            table.writerow(["name", "lat", "lon"])
            for one in features:
                lon, lat = one["geometry"]["coordinates"]
                table.writerow([one["properties"]["name"], f"{lat:.6f}", f"{lon:.6f}"])
    elif form == "txt":
        lines = ["{:.6f} {:.6f}".format(*one["geometry"]["coordinates"]) for one in features]
        path.write_text("\n".join(lines))
    else:
        book = Workbook()
        book.active.append(["经度", "纬度"])
        for one in features:
            book.active.append(one["geometry"]["coordinates"])
        book.save(path)
    return path


@pytest.mark.parametrize("form", ["geojson", "csv", "xlsx", "txt"])
def test_fifty_rows_name_the_recipient_whatever_was_done_to_them(
    mapped: Session, copies: dict, tmp_path: Path, form: str
) -> None:
    draw = Random(form)
    for number in draw.sample(list(copies), 6):
        suspects = named(mapped, leak(copies[number], tmp_path, form, draw))

        assert [one.number for one in suspects] == [number]
        assert suspects[0].places == 50
        assert suspects[0].error_probability < 1e-60


def test_metres_of_another_system_are_traced_too(
    mapped: Session, copies: dict, tmp_path: Path
) -> None:
    from gis.crs import transform

    number = next(iter(copies))
    path = tmp_path / "leak.csv"
    metric = transform(places(copies[number])[:60], 4326, 4549)
    rows = "\n".join(f"{x:.3f},{y:.3f}" for x, y in metric)
    path.write_text(f"easting,northing\n{rows}\n")

    suspects = named(mapped, path, "EPSG:4549")

    assert [one.number for one in suspects] == [number]


def test_a_mixture_of_two_copies_names_both(mapped: Session, copies: dict, tmp_path: Path) -> None:
    first, second = list(copies)[3], list(copies)[17]
    mixed = copies[first]["features"][:40] + copies[second]["features"][200:240]
    path = tmp_path / "leak.geojson"
    path.write_text(json.dumps({"type": "FeatureCollection", "features": mixed}))

    assert {one.number for one in named(mapped, path)} == {first, second}


def test_what_was_never_exported_accuses_nobody(mapped: Session, copies: dict) -> None:
    rows = mapped.execute(text("SELECT ST_X(geom), ST_Y(geom) FROM enterprise")).all()
    sample = exports.Sample(tuple((round(x * 1e6), round(y * 1e6)) for x, y in rows), ())

    found = exports.trace(mapped, sample)

    assert found.compared == PEOPLE
    assert found.suspects == ()


def test_rows_stay_where_they_are_to_within_what_is_stated(mapped: Session, copies: dict) -> None:
    for number in list(copies)[:3]:
        for feature in copies[number]["features"]:
            lon, lat = feature["geometry"]["coordinates"]
            apart = mapped.scalar(
                text("SELECT ST_Distance(geom::geography, ST_SetSRID(ST_MakePoint(:x, :y),"
                     " 4490)::geography) FROM enterprise WHERE id = :i"),
                {"x": lon, "y": lat, "i": feature["id"]},
            )  # fmt: skip
            assert apart < 1.2


def test_times_alone_name_the_recipient(mapped: Session) -> None:
    mapped.execute(text("UPDATE incident SET received_at = received_at"
                        " + random() * interval '1 hour'"))  # fmt: skip
    numbers = []
    for n in range(3):
        account = accounts.Account(login=f"times-{n}", name=f"乙{n}", password_hash="-")
        mapped.add(account)
        mapped.flush()
        actor = accounts.Actor(account.id, account.name, frozenset(),
                               actor_in().permissions, ("339901",))  # fmt: skip
        wanted = exports.selection(layer("incident"), actor, format_name="csv",
                                   columns=("number", "received_at", "due_at"))  # fmt: skip
        kept = exports.keep_direct(mapped, wanted, actor, choice={}, reason="planning",
                                   note="for the plan", now=NOW)  # fmt: skip
        marked = exports.marked(wanted, exports.mark_of(mapped, kept))
        conn = driver(mapped.connection())
        data = b"".join(exports.csv(conn, marked, exports.count(conn, marked), Tally()))
        numbers.append((kept.number, data.decode("utf-8-sig")))
    number, document = numbers[1]
    times = [row["received_at"] for row in csv.DictReader(io.StringIO(document))]
    # Few cases stand in the small city; four rows name nobody, so each is taken as evidence.
    sample = exports.tracing.sample_of([], times)

    from grids.exports.marks import instant_fits

    keys = dict(mapped.execute(text("SELECT id, mark_key FROM export_request")).all())
    fits = {
        key: sum(instant_fits(mark, at) for at in sample.instants) for key, mark in keys.items()
    }
    own = next(one for one in keys if number.endswith(f"{one:06d}"))
    assert fits[own] == len(sample.instants) == 4
    assert max(hits for key, hits in fits.items() if key != own) < 4
