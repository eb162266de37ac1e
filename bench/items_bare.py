"""The least that answers a box with GeoJSON: one view, one statement, JSON made by PostGIS."""

from __future__ import annotations

import os

import psycopg
from flask import Flask, Response, request
from psycopg_pool import ConnectionPool

from gis.postgis import warm

STATEMENT = """
    SELECT coalesce(string_agg('{"type":"Feature","id":' || id || ',"geometry":'
             || ST_AsGeoJSON(geom, 7, 0) || ',"properties":'
             || (SELECT row_to_json(p)::text FROM (SELECT t.identifier, t.code, t.state) AS p)
             || '}', ','), '')
    FROM (SELECT id, geom, identifier, code, state FROM component
          WHERE geom && ST_MakeEnvelope(%(w)s, %(s)s, %(e)s, %(n)s, 4490)
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
