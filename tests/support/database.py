"""Real PostGIS for the tests: a throw-away cluster, templates by hash, one database per process.

Several runs may share the cluster at the same time: the names of databases carry the
process number, and whatever a dead process left is dropped by the next run.
"""

import contextlib
import fcntl
import hashlib
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import psycopg
import pytest
from psycopg import sql
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

import grids.models  # noqa: F401 - every table is known, whichever a test names
from app import cluster, roles
from app.config import ROOT, Settings, as_role, read_secrets

VAR = ROOT / "var"
#: What the schema and the reference data of a template are made from.
SCHEMA_SOURCES = ("grids/migrations", "grids/migrate.py", "grids/privileges.py", "grids/sql",
                  "grids/codes", "grids/ledgers/loading.py", "data/codes", "app/roles.py")  # fmt: skip


@dataclass(frozen=True)
class Server:
    """The throw-away cluster of this working tree."""

    cluster: cluster.Cluster

    def url(self, database: str) -> str:
        return self.cluster.url(database)

    @contextlib.contextmanager
    def admin(self) -> Iterator[psycopg.Connection]:
        """Connect as superuser, one test process at a time, outside any transaction."""
        with (self.cluster.home / "databases.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            with psycopg.connect(self.url("postgres"), autocommit=True) as conn:
                yield conn

    def clone(self, template: str, purpose: str) -> str:
        """Copy a template into a database of this process; return its name."""
        name = f"wangge_t_{os.getpid()}_{purpose}"
        with self.admin() as conn:
            drop(conn, name)
            roles.create_database(conn, name, template)
        return name

    def drop(self, name: str) -> None:
        with self.admin() as conn:
            drop(conn, name)

    def template(self, kind: str, sources: tuple[str, ...], build: Callable[[str], None]) -> str:
        """Return a template database built from these sources, building it where it is new."""
        name = f"wangge_tpl_{kind}_{digest(sources)}"
        with self.admin() as conn:
            if exists(conn, name):
                return name
            for old in databases(conn, f"wangge_tpl_{kind}_%"):
                drop(conn, old)
            draft = f"wangge_draft_{kind}_{os.getpid()}"
            drop(conn, draft)
            roles.create_database(conn, draft)
            with psycopg.connect(self.url(draft), autocommit=True) as inside:
                roles.ensure_extensions(inside)
            build(self.url(draft))
            conn.execute(
                sql.SQL("ALTER DATABASE {} RENAME TO {}").format(
                    sql.Identifier(draft), sql.Identifier(name)
                )
            )
        return name


def digest(sources: tuple[str, ...]) -> str:
    """Hash the content of files and folders of the project."""
    total = hashlib.sha256()
    for source in sources:
        top = ROOT / source
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file() and "__pycache__" not in path.parts:
                total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:12]


def exists(conn: psycopg.Connection, name: str) -> bool:
    return name in databases(conn, name.replace("_", r"\_"))


def databases(conn: psycopg.Connection, pattern: str) -> list[str]:
    rows = conn.execute("SELECT datname FROM pg_database WHERE datname LIKE %s", (pattern,))
    return [row[0] for row in rows]


def drop(conn: psycopg.Connection, name: str) -> None:
    conn.execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(sql.Identifier(name)))


def drop_leftovers(conn: psycopg.Connection) -> None:
    """Drop what processes left that no longer live."""
    for name in databases(conn, "wangge_t_%") + databases(conn, "wangge_draft_%"):
        found = re.search(r"_(\d+)(_|$)", name)
        if found and not Path(f"/proc/{found[1]}").exists():
            drop(conn, name)


def build_schema(admin_url: str) -> None:
    """Migrate an empty database and load the code lists, as an installation does."""
    from grids import codes
    from grids.ledgers import loading
    from grids.migrate import upgrade

    owner_url = as_role(admin_url, "wangge_owner", "none")
    upgrade(owner_url)
    engine = create_engine(owner_url, poolclass=NullPool)
    with Session(engine) as session, session.begin():
        codes.load(session, ROOT / "data/codes", on=date(2020, 1, 1))
        loading.load(session, ROOT / "data/codes/forms", on=date(2020, 1, 1))
    engine.dispose()


def settings_for(admin_url: str, var_dir: Path, **more: str) -> Settings:
    """Make settings for a test server and a folder of its own."""
    return Settings.load(environment_for(admin_url, var_dir, **more))


def environment_for(admin_url: str, var_dir: Path, **more: str) -> dict[str, str]:
    """Write the settings of a test server; the keys are those that templates were built with."""
    kept = read_secrets(VAR)
    return {
        "WANGGE_DATA_KEY": kept["data_key"],
        "WANGGE_INDEX_KEY": kept["index_key"],
        "WANGGE_DATABASE_URL": admin_url,
        "WANGGE_VAR_DIR": str(var_dir),
        "WANGGE_ALLOW_UNSAFE_SERVER": "1",
        # Tests of the second factor ask for it themselves.
        "WANGGE_SECOND_FACTOR": "offered",
        **more,
    }


@pytest.fixture(scope="session")
def server() -> Server:
    """The throw-away cluster, started by the first run that needs it."""
    described = Server(cluster.throw_away(VAR))
    cluster.start(described.cluster)
    with described.admin() as conn:
        roles.ensure_roles(conn, read_secrets(VAR))
        # A test's one connection takes the app role while it answers a request.
        conn.execute("GRANT wangge_app, wangge_worker, wangge_tiles TO wangge_owner")
        drop_leftovers(conn)
    return described


@pytest.fixture(scope="session")
def schema_template(server: Server) -> str:
    """Name of the template with the migrated schema and the code lists."""
    return server.template("schema", SCHEMA_SOURCES, build_schema)


@pytest.fixture(scope="session")
def admin_url(server: Server, schema_template: str) -> Iterator[str]:
    """Address, for the superuser, of the migrated database of this test process."""
    name = server.clone(schema_template, "main")
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="session")
def database_url(admin_url: str) -> str:
    """Address, for the owner role, of the migrated database of this test process."""
    return as_role(admin_url, "wangge_owner", "none")


@pytest.fixture
def empty_database(server: Server, schema_template: str) -> Iterator[str]:
    """Address, for the superuser, of a migrated database for one test that commits."""
    name = server.clone(schema_template, "one")
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="session")
def settings(admin_url: str, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings of this test process, with a var folder of its own."""
    return settings_for(admin_url, tmp_path_factory.mktemp("var"))


@pytest.fixture(scope="session")
def engine(database_url: str) -> Iterator[Engine]:
    """Engine of the owner role."""
    made = create_engine(database_url)
    yield made
    made.dispose()


@pytest.fixture
def connection(engine: Engine) -> Iterator[Connection]:
    """One connection in one transaction that is always rolled back."""
    with engine.connect() as opened:
        outer = opened.begin()
        yield opened
        outer.rollback()


@pytest.fixture
def session(connection: Connection) -> Iterator[Session]:
    """A session of the owner role whose commits end in the transaction that is rolled back."""
    with Session(connection, join_transaction_mode="create_savepoint") as made:
        yield made


@pytest.fixture
def count_queries(engine: Engine) -> Iterator[Callable[[], int]]:
    """Return how many statements ran since the last time it was asked."""
    seen: list[str] = []

    def note(_conn: object, _cursor: object, statement: str, *_: object) -> None:
        if not statement.startswith(("SAVEPOINT", "RELEASE", "SET ROLE", "RESET ROLE")):
            seen.append(statement)

    def since() -> int:
        count = len(seen)
        seen.clear()
        return count

    event.listen(engine, "before_cursor_execute", note)
    yield since
    event.remove(engine, "before_cursor_execute", note)


def replace_database(url: str, name: str) -> str:
    """Write the same server with another database."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))
