"""The least a view could do: the same four rows in one transaction, nothing checked."""

import functools
import os
from typing import Any
from uuid import UUID, uuid4

from flask import Flask, Response, request
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool

REQUEST = """
    INSERT INTO request_key (id, kind, body_hash, status, answer)
    VALUES (%(id)s, 'incident', sha256(%(text)s::bytea), 201, %(answer)s)
"""
INCIDENT = """
    INSERT INTO incident (id, number, category_id, category_code, text, channel, urgency, status,
                          reported_at, received_at, stage_at, due_at, geom, event_count)
    SELECT %(id)s, next_incident_number(current_date), c.id, c.code, %(text)s, 'worker', 'C',
           'pending_accept', now(), now(), now(), now() + interval '30 minutes',
           ST_SetSRID(ST_MakePoint(%(lon)s, %(lat)s), 4490), 1
    FROM category AS c WHERE c.kind = 'matter' AND c.code = %(category)s
"""
EVENT = """
    INSERT INTO incident_event (recorded_at, incident_id, seq, id, action, from_status, to_status,
                                role, area_code, geom, data)
    SELECT now(), i.id, 1, i.id, 'submit', 'draft', 'pending_accept', 'worker', i.area_code,
           i.geom, %(data)s
    FROM incident AS i WHERE i.id = %(id)s
"""
CLOCK = """
    INSERT INTO incident_clock (incident_id, stage, started_at, due_at)
    VALUES (%(id)s, 'S1', now(), now() + interval '30 minutes')
"""
STATEMENTS = (REQUEST, INCIDENT, EVENT, CLOCK)


def create_bare_app() -> Flask:
    """Make the application; the address of the database stands in the environment."""
    app = Flask("bare")

    @functools.cache
    def pool() -> ConnectionPool[Any]:
        # On first use: the server forks after the application was made.
        url = os.environ["BARE_DATABASE_URL"]
        return ConnectionPool(url, min_size=8, max_size=16, open=True)

    @app.put("/api/incidents/<uuid:incident_id>")
    def put(incident_id: UUID) -> Response:
        sent = request.get_json()
        values = {
            "id": incident_id,
            "category": sent["category"],
            "text": sent["text"],
            "lon": sent["lon"],
            "lat": sent["lat"],
            "answer": Jsonb({"id": str(uuid4())}),
            "data": Jsonb({"text": sent["text"], "category": sent["category"], "urgency": "C"}),
        }
        with pool().connection() as conn:
            for statement in STATEMENTS:
                conn.execute(statement, values)
        return Response(f'"{incident_id}"', 201, mimetype="application/json")

    return app
