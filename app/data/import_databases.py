"""Tables of other offices' databases: sign in to one of the deployer's list, choose a table, take it.

What is taken becomes a batch like any file. Nobody types a host or a line of SQL.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from flask import Blueprint, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from sqlalchemy import select

from app import faces
from app.auth import requires
from app.data import import_words as words
from app.data.frame import page
from app.databases import Database
from app.errors import status_of
from gis.errors import GisError
from gis.tables import postgres
from grids import jobs
from grids.codes import Department
from grids.errors import GridsError, NotFound
from grids.importing.batches import connections, service
from grids.importing.batches.models import ImportConnection
from grids.importing.batches.settings import is_personal
from grids.importing.batches.targets import TARGETS

bp = Blueprint("import_databases", __name__)

MOST_BYTES = 64 * 1024 * 1024


def _databases() -> Mapping[str, Database]:
    found: Mapping[str, Database] = current_app.extensions["databases"]
    return found


@bp.get("/data/imports/databases")
@requires("data:import")
def home() -> ResponseReturnValue:
    """Show the databases that may be read, and the sign-ins to them."""
    return _home({}, "")


def _home(form: dict[str, str], error: str) -> str:
    with g.session.begin():
        return page(
            "import_databases",
            databases=list(_databases().values()),
            connections=connections.connections(g.session, g.actor),
            form=form,
            error=error,
        )


@bp.post("/data/imports/databases")
@requires("data:import")
def connect() -> ResponseReturnValue:
    """Try a sign-in and keep it, its password sealed."""
    form = {name: request.form.get(name, "").strip() for name in ("server", "user")}
    password = request.form.get("password", "")
    try:
        database = _database(form["server"])
        with g.session.begin():
            made = connections.connect(
                g.session, faces.vault(), g.actor, server=database.id, user=form["user"],
                password=password,
            )  # fmt: skip
            # Tried before it is kept: a refusal takes the row back.
            with postgres.reading(database.login(form["user"], password)) as conn:
                postgres.relations(conn)
            connection_id = made.id
    except NotFound:
        raise
    except (GridsError, GisError) as error:
        return _home(form, words.message(error)), status_of(error)
    return redirect(url_for("import_databases.tables", connection_id=connection_id), 303)


def _database(server: str) -> Database:
    if server not in _databases():
        raise connections.BadConnection("no such database is listed", field="server")
    return _databases()[server]


@bp.get("/data/imports/databases/<int:connection_id>")
@requires("data:import")
def tables(connection_id: int) -> ResponseReturnValue:
    """List what the sign-in may read there, with the form that takes one of it."""
    return _tables(connection_id, {}, None)


@bp.post("/data/imports/databases/<int:connection_id>/take")
@requires("data:import")
def take(connection_id: int) -> ResponseReturnValue:
    """Take a listed table as a new batch of a source; the worker looks at it."""
    form = {name: request.form.get(name, "").strip()
            for name in ("table", "source", "code", "name", "target", "department")}  # fmt: skip
    now = datetime.now(UTC)
    try:
        with g.session.begin():
            login = _login(connections.connection_of(g.session, g.actor, connection_id))
        # No transaction of ours waits while the other server reads.
        with postgres.reading(login) as conn:
            data, _ = postgres.as_csv(
                conn, form["table"], most_rows=connections.MOST_ROWS, most_bytes=MOST_BYTES,
                leave_out=is_personal,
            )  # fmt: skip
        with g.session.begin():
            connection = connections.connection_of(g.session, g.actor, connection_id)
            connection.used_at = now
            source = service.source_for(
                g.session, g.actor, known=form["source"], code=form["code"], name=form["name"],
                target=form["target"], department=form["department"],
            )  # fmt: skip
            batch = service.start(
                g.session, faces.blob_store(), g.actor, source, data,
                name=f"{form['table'].replace('/', '_')}.csv", now=now,
            )  # fmt: skip
            jobs.defer(g.session, "look_import", batch_id=batch.id)
            made = batch.id
    except NotFound:
        raise
    except (GridsError, GisError) as error:
        return _tables(connection_id, form, error), status_of(error)
    return redirect(url_for("imports.batch", batch_id=made), 303)


@bp.post("/data/imports/databases/<int:connection_id>/forget")
@requires("data:import")
def forget(connection_id: int) -> ResponseReturnValue:
    """Remove a sign-in."""
    with g.session.begin():
        connections.forget(
            g.session, g.actor, connections.connection_of(g.session, g.actor, connection_id)
        )
    return redirect(url_for("import_databases.home"), 303)


def _login(connection: ImportConnection) -> postgres.Login:
    database = _database(connection.server)
    return database.login(connection.user_name, connections.password_of(faces.vault(), connection))


def _tables(connection_id: int, form: dict[str, str], error: Any) -> str:
    with g.session.begin():
        connection = connections.connection_of(g.session, g.actor, connection_id)
        shown = {"id": connection.id, "server": connection.server, "user": connection.user_name}
    listed: list[postgres.Relation] = []
    try:
        with g.session.begin():
            login = _login(connections.connection_of(g.session, g.actor, connection_id))
        with postgres.reading(login) as conn:
            listed = postgres.relations(conn)
    except (GridsError, GisError) as refused:
        error = error or refused
    with g.session.begin():
        return page(
            "import_tables",
            connection=shown,
            tables=listed,
            most=connections.MOST_ROWS,
            sources=service.sources(g.session, g.actor),
            targets=list(TARGETS),
            departments=g.session.scalars(select(Department).order_by(Department.sort)).all(),
            form=form,
            error=words.message(error) if error else "",
        )
