"""Tables are taken from a database of somebody else: listed, read-only, sealed, and without any SQL."""

import select
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any, cast

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from app import databases
from app.config import Settings
from app.outgoing import OutgoingRefused
from grids.blobs import Store
from grids.importing.batches import running
from grids.importing.batches.models import ImportBatch
from tests.support.cases import build_city
from tests.support.database import Server

PASSWORD = "wünsch-dir:was/@"
TABLES = """
    CREATE SCHEMA permits;
    CREATE TABLE permits.school (id int, "名称" text, "类型" text, lon float, lat float, "负责人电话" text);
    INSERT INTO permits.school VALUES
        (1, '一中', '学校', 120.05, 29.30, '13900000000'), (2, '二"院', '医院', 120.06, 29.30, NULL),
        (3, '=cmd', '占卜馆', 120.07, 29.30, NULL);
    CREATE VIEW permits."open; DROP" AS SELECT * FROM permits.school WHERE id < 3;
    CREATE TABLE permits.hidden (id int);
    CREATE TABLE permits.shapes AS
        SELECT 'S1' AS id, '体育馆' AS "名称", '体育健身' AS "类型",
               ST_SetSRID(ST_MakePoint(120.05, 29.31), 4490) AS geom;
    CREATE FUNCTION permits.slow() RETURNS int LANGUAGE plpgsql AS
        $$ BEGIN PERFORM pg_sleep(60); RETURN 1; END $$;
    CREATE VIEW permits.endless AS SELECT permits.slow() AS id;
    CREATE VIEW permits.writer AS SELECT nextval('permits.counter') AS id;
"""


class Wire:
    """A TCP door on loopback to the socket of the tests' cluster; notes the addresses it serves."""

    def __init__(self, path: str) -> None:
        self.path = path
        self.server = socket.create_server(("127.0.0.1", 0))
        self.port = self.server.getsockname()[1]
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                near, _ = self.server.accept()
            except OSError:
                return
            threading.Thread(target=self._carry, args=(near,), daemon=True).start()

    def _carry(self, near: socket.socket) -> None:
        with near, socket.socket(socket.AF_UNIX) as far:
            far.connect(self.path)
            while True:
                for end in select.select([near, far], [], [])[0]:
                    try:
                        data = end.recv(65_536)
                        (far if end is near else near).sendall(data)
                    except OSError:
                        return
                    if not data:
                        return


@pytest.fixture(scope="module")
def other(server: Server, schema_template: str) -> Iterator[str]:
    """The database of another office, with a reader of its own; returns its entry in the list."""
    name = server.clone(schema_template, "permits")
    reader = f"{name}_reader"
    with psycopg.connect(server.url(name), autocommit=True) as conn:
        conn.execute("CREATE SCHEMA IF NOT EXISTS permits")
        conn.execute("DROP SCHEMA permits CASCADE")
        conn.execute("SET check_function_bodies = off")
        conn.execute(
            TABLES.replace(
                "CREATE VIEW permits.writer",
                "CREATE SEQUENCE permits.counter; CREATE VIEW permits.writer",
            )
        )
        conn.execute(
            sql.SQL("CREATE ROLE {} LOGIN PASSWORD {}").format(
                sql.Identifier(reader), sql.Literal(PASSWORD)
            )
        )
        grant = sql.SQL("GRANT USAGE ON SCHEMA permits TO {0}; GRANT SELECT, INSERT ON"
                        " permits.school, permits.shapes, permits.\"open; DROP\", permits.endless,"
                        " permits.writer TO {0}; GRANT ALL ON SEQUENCE permits.counter TO {0}")  # fmt: skip
        conn.execute(grant.format(sql.Identifier(reader)))
        conn.execute(sql.SQL("GRANT CONNECT ON DATABASE {} TO {}").format(
            sql.Identifier(name), sql.Identifier(reader)
        ))  # fmt: skip
        found = conn.execute("SHOW unix_socket_directories").fetchone()
        port = conn.execute("SHOW port").fetchone()
    assert found is not None
    assert port is not None
    wire = Wire(f"{found[0].split(',')[0]}/.s.PGSQL.{port[0]}")
    yield f"permits=postgresql://127.0.0.1:{wire.port}/{name} 127.0.0.0/8"
    wire.server.close()
    server.drop(name)
    with server.admin() as conn:
        conn.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(reader)))


class Desk:
    """A steward's client, with the worker's part done on the same connection."""

    def __init__(
        self, client: Any, session: Session, connection: Connection, store: Store, user: str
    ) -> None:
        self.client, self.session, self.store, self.user = client, session, store, user
        self.engine = cast("Engine", connection)

    def connect(self, password: str = PASSWORD, server: str = "permits", **more: str) -> Any:
        form = {"server": server, "user": self.user, "password": password, **more}
        return self.client.post("/data/imports/databases", data=form)

    def take(self, path: str, table: str, **more: str) -> Any:
        form = {"table": table, "code": "permits", "name": "审批局", "target": "facility", **more}
        return self.client.post(f"{path}/take", data=form)

    def look(self, answer: Any) -> ImportBatch:
        batch_id = int(answer.headers["Location"].rpartition("/")[2])
        running.run_look(self.engine, self.store, batch_id)
        self.session.expire_all()
        return self.session.get_one(ImportBatch, batch_id)


@pytest.fixture
def desk(
    session: Session, connection: Connection, sign_in: Callable[..., Any], settings: Settings,
    other: str, app: Any, monkeypatch: pytest.MonkeyPatch,
) -> Desk:  # fmt: skip
    build_city(session)
    session.flush()
    monkeypatch.setitem(app.extensions, "databases", databases.databases_from(other))
    user = other.rpartition("/")[0].rpartition("/")[2].split()[0] + "_reader"
    return Desk(sign_in("steward"), session, connection, Store(settings.blob_dir), user)


def test_a_table_becomes_a_batch_and_columns_of_persons_are_not_read(desk: Desk) -> None:
    answer = desk.connect()
    assert answer.status_code == 303, answer.get_data(as_text=True)
    path = answer.headers["Location"]
    listed = desk.client.get(path).get_data(as_text=True)
    assert "permits.school" in listed
    assert "permits.hidden" not in listed

    batch = desk.look(desk.take(path, "permits.school"))

    assert (batch.state, batch.file_name) == ("looked", "permits.school.csv")
    assert batch.look["columns"] == ["id", "名称", "类型", "lon", "lat"]
    assert [row["cells"][1] for row in batch.look["rows"]] == ["一中", '二"院', "=cmd"]
    assert batch.look["missing"] == []
    stored = desk.store.path("import", batch.file_sha256).read_bytes()
    assert b"13900000000" not in stored


def test_a_view_with_any_name_and_a_geometry_are_read(desk: Desk) -> None:
    path = desk.connect().headers["Location"]

    view = desk.look(desk.take(path, "permits.open; DROP"))
    shapes = desk.look(desk.take(path, "permits.shapes", code="shapes"))

    assert len(view.look["rows"]) == 2
    assert shapes.look["rows"][0]["cells"][3].startswith("POINT (120.05 29.31")
    assert desk.session.execute(text("SELECT count(*) FROM import_batch")).scalar() == 2


@pytest.mark.parametrize(
    "table",
    [
        "permits.hidden",
        "pg_catalog.pg_authid",
        "permits.school; DELETE FROM permits.school",
        "school",
        "",
    ],
)
def test_what_is_not_on_the_list_is_not_read(desk: Desk, table: str) -> None:
    path = desk.connect().headers["Location"]

    answer = desk.take(path, table)

    assert answer.status_code == 422
    assert "form-error" in answer.get_data(as_text=True)
    assert desk.session.execute(text("SELECT count(*) FROM import_batch")).scalar() == 0


def test_the_other_database_is_never_written_and_never_waited_for(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = desk.connect().headers["Location"]
    monkeypatch.setattr("gis.tables.postgres.STATEMENT_S", 1)

    writer = desk.take(path, "permits.writer")
    slow = desk.take(path, "permits.endless")

    assert [writer.status_code, slow.status_code] == [422, 422]
    assert "1 秒内没有答完" in slow.get_data(as_text=True)


def test_too_many_rows_are_refused_before_they_are_kept(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = desk.connect().headers["Location"]
    monkeypatch.setattr("grids.importing.batches.connections.MOST_ROWS", 2)

    assert desk.take(path, "permits.school").status_code == 422
    assert desk.take(path, "permits.open; DROP").status_code == 303


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"server": "elsewhere"}, "没有填好"),
        ({"server": "127.0.0.1:5432"}, "没有填好"),
        ({"user": ""}, "没有填好"),
        ({"user": "nobody_at_all"}, "不接受这个用户名或密码"),
    ],
)
def test_a_sign_in_that_does_not_work_is_not_kept(
    desk: Desk, form: dict[str, str], words: str
) -> None:
    answer = desk.connect(**form)

    assert answer.status_code == 422
    assert words in answer.get_data(as_text=True)
    assert desk.session.execute(text("SELECT count(*) FROM import_connection")).scalar() == 0


def test_the_password_is_sealed_and_shown_nowhere(desk: Desk) -> None:
    path = desk.connect().headers["Location"]
    assert desk.connect().headers["Location"] == path

    sealed = desk.session.execute(text("SELECT password_sealed FROM import_connection")).scalar()

    assert PASSWORD.encode() not in bytes(sealed)
    for page in ("/data/imports/databases", path):
        assert PASSWORD not in desk.client.get(page).get_data(as_text=True)
    logged = desk.session.execute(
        text("SELECT string_agg(detail::text, ' ') FROM audit_event")
    ).scalar()
    assert PASSWORD not in (logged or "")
    assert desk.client.post(f"{path}/forget").status_code == 303
    assert desk.client.get(path).status_code == 404


def test_a_connection_of_another_area_is_not_there(desk: Desk, sign_in: Callable[..., Any]) -> None:
    path = desk.connect().headers["Location"]
    stranger = sign_in("steward", "339901001")

    assert stranger.get(path).status_code == 404
    assert stranger.post(f"{path}/take", data={"table": "permits.school"}).status_code == 404
    assert stranger.post(f"{path}/forget").status_code == 404
    assert sign_in("planner").get("/data/imports/databases").status_code == 403


def test_a_name_is_resolved_once_and_only_to_where_the_list_allows(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answers = ["10.1.2.3", "10.1.2.4"]

    def resolves(*_: Any, **__: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (answers.pop(0), 5432))]

    monkeypatch.setattr(socket, "getaddrinfo", resolves)
    listed = databases.databases_from(
        "a=postgresql://db.city.cn/permits 10.0.0.0/8, b=postgresql://db.city.cn/permits"
    )

    login = listed["a"].login("u", "p")

    assert (login.host, login.address, login.port) == ("db.city.cn", "10.1.2.3", 5432)
    assert len(answers) == 1
    with pytest.raises(OutgoingRefused):
        listed["b"].login("u", "p")


@pytest.mark.parametrize(
    "entry",
    [
        "a=postgresql://db.city.cn", "a=mysql://db.city.cn/x", "a=postgresql://u:p@db.city.cn/x",
        "a=postgresql://db.city.cn/x?host=evil", "a=postgresql://0x7f.1/x", "a=postgresql://db/x, a=postgresql://db/y",
        "postgresql://db.city.cn/x", "a=postgresql://db.city.cn/x here",
    ],
)  # fmt: skip
def test_an_entry_that_is_not_written_plainly_stops_the_start(entry: str) -> None:
    with pytest.raises(OutgoingRefused):
        databases.databases_from(entry)
