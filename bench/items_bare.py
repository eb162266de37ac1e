"""The least that answers a box with GeoJSON: one view, one statement, JSON made by PostGIS."""

from __future__ import annotations

import os

import psycopg
from flask import Flask, Response, request
from psycopg_pool import ConnectionPool

from gis.postgis import warm

#: The same columns as ours gives, so that the answers have the same size.
STATEMENT = """
    SELECT coalesce(string_agg('{"type":"Feature","id":' || id || ',"geometry":'
             || ST_AsGeoJSON(geom, 7, 0) || ',"properties":'
             || (SELECT row_to_json(p)::text FROM (
                   SELECT t.identifier, left(t.code, 2) AS class, t.code, t.name_zh, t.name_en,
                          t.state, t.name, t.department_code, t.area_code, t.source, t.valid_from
                 ) AS p)
             || '}', ','), '')
    FROM (SELECT c.id, c.geom, c.identifier, c.code, k.name_zh, k.name_en, c.state, c.name,
                 c.department_code, c.area_code, c.source, c.valid_from
          FROM component AS c LEFT JOIN category AS k
            ON k.code_system = c.code_system AND k.kind = 'component' AND k.code = c.code
          WHERE c.geom && ST_MakeEnvelope(%(w)s, %(s)s, %(e)s, %(n)s, 4490)
          LIMIT %(limit)s) AS t"""


def create_bare_app() -> Flask:
    """Make an application that checks nothing: no sign-in, no scope, no order, no pages."""
    app = Flask("bare")
    pool: ConnectionPool[psycopg.Connection[tuple[str]]] = ConnectionPool(
        os.environ["BARE_DATABASE_URL"],
        kwargs={"autocommit": True},
        min_size=1,
        max_size=8,
        configure=warm,
        open=False,
    )

    @app.get("/healthz")
    def alive() -> str:
        return "alive"

    @app.get("/items")
    def items() -> Response:
        pool.open()
        west, south, east, north = map(float, request.args["bbox"].split(","))
        values = {"w": west, "s": south, "e": east, "n": north, "limit": request.args["limit"]}
        with pool.connection() as conn:
            row = conn.execute(STATEMENT, values).fetchone()
        body = '{"type":"FeatureCollection","features":[' + (row[0] if row else "") + "]}"
        return Response(body, mimetype="application/geo+json")

    return app
