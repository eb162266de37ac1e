"""Columns of any kind arrive as they were sent."""

import uuid
from datetime import UTC, date, datetime

import numpy as np
import pytest
import shapely
from sqlalchemy import Connection, text
from sqlalchemy.dialects.postgresql import Range

from grids.bulk import copy_frame, reserve_ids


@pytest.fixture
def scratch(connection: Connection) -> Connection:
    connection.execute(
        text(
            "CREATE TEMP TABLE scratch (n bigint, small smallint, x double precision, word text,"
            " flag boolean, secret bytea, day date, at timestamptz, mark uuid, valid daterange,"
            " facts jsonb, geom geometry(Polygon, 4490))"
        )
    )
    return connection


def test_every_kind_of_value_survives(scratch: Connection) -> None:
    mark = uuid.UUID("00000000-0000-4000-8000-000000000007")
    at = datetime(2030, 1, 1, 8, tzinfo=UTC)
    copy_frame(
        scratch,
        "scratch",
        {
            "n": np.array([2**60]),
            "small": np.array([7]),
            "x": [0.1],
            "word": ["tab\tline\nback\\slash 网格"],
            "flag": np.array([True]),
            "secret": [b"\0\xff"],
            "day": [date(2030, 1, 1)],
            "at": [at],
            "mark": [mark],
            "valid": [Range(date(2030, 1, 1), None)],
            "facts": [{"a": [1, None]}],
            "geom": [shapely.box(120, 29, 121, 30)],
        },
    )

    row = scratch.execute(text("SELECT *, ST_SRID(geom) AS srid FROM scratch")).one()

    assert row[:4] == (2**60, 7, 0.1, "tab\tline\nback\\slash 网格")
    assert row[4:9] == (True, b"\0\xff", date(2030, 1, 1), at, mark)
    assert (row.valid.lower, row.valid.upper, row.facts) == (
        date(2030, 1, 1),
        None,
        {"a": [1, None]},
    )
    assert row.srid == 4490


def test_none_nan_and_masked_values_are_null(scratch: Connection) -> None:
    masked = np.ma.MaskedArray(np.array([5, 6]), mask=[True, False])
    columns = {"n": masked, "x": np.array([np.nan, 1.0]), "word": [None, "x"], "geom": [None, None]}

    copy_frame(scratch, "scratch", columns)

    rows = scratch.execute(text("SELECT n, x, word FROM scratch ORDER BY n NULLS FIRST")).all()
    assert [tuple(row) for row in rows] == [(None, None, None), (6, 1.0, "x")]


def test_columns_of_unequal_length_and_unknown_columns_are_refused(scratch: Connection) -> None:
    with pytest.raises(ValueError, match="differ in length"):
        copy_frame(scratch, "scratch", {"n": [1, 2], "x": [1.0]})
    with pytest.raises(ValueError, match="no column nothing"):
        copy_frame(scratch, "scratch", {"nothing": [1]})


def test_no_rows_are_no_work(scratch: Connection) -> None:
    assert copy_frame(scratch, "scratch", {"n": []}) == 0


def test_reserved_keys_are_never_given_again(connection: Connection) -> None:
    first = reserve_ids(connection, "road", 1000)
    single = reserve_ids(connection, "road", 1)
    more = reserve_ids(connection, "road", 50)
    by_database = connection.scalar(
        text("SELECT nextval(pg_get_serial_sequence('road', 'id'))::bigint")
    )

    keys = [*first.tolist(), *single.tolist(), *more.tolist(), by_database]
    assert len(set(keys)) == 1052
    assert keys == sorted(keys)
    assert reserve_ids(connection, "road", 0).shape == (0,)
