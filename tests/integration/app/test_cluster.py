"""The private cluster: made, started, killed and recovered without touching any other."""

import stat
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from app import cluster, roles
from app.cluster import Cluster
from app.config import ADMIN, Settings, read_secrets


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """A durable cluster as an installation gets it."""
    var_dir = tmp_path_factory.mktemp("var")
    settings = Settings.load({"WANGGE_VAR_DIR": str(var_dir)})
    made = cluster.private(settings)
    cluster.start(made)
    roles.prepare(settings.admin_url, settings.passwords())
    yield made
    cluster.stop(made)


def value(url: str, query: str) -> object:
    with psycopg.connect(url, autocommit=True) as conn:
        row = conn.execute(query).fetchone()
    return row[0] if row else None


def test_it_is_durable_checked_and_listens_on_a_private_socket_only(own: Cluster) -> None:
    with psycopg.connect(own.url(), autocommit=True) as conn:
        roles.check_durability(conn)

    assert value(own.url(), "SHOW listen_addresses") == ""
    assert value(own.url(), "SHOW data_checksums") == "on"
    assert stat.S_IMODE(own.socket.stat().st_mode) == 0o700
    assert stat.S_IMODE(own.data.stat().st_mode) == 0o700


def test_a_wrong_password_is_refused(own: Cluster) -> None:
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(Cluster(own.home, "wrong").url())


def test_no_password_is_left_in_a_file_of_the_cluster(own: Cluster) -> None:
    kept = read_secrets(own.home.parent)
    found = [
        path.name
        for path in own.home.rglob("*")
        if path.is_file() and path.stat().st_size < 1_000_000 and own.socket not in path.parents
        for word in (kept[ADMIN], kept["wangge_app"])
        if word.encode() in path.read_bytes()
    ]

    assert found == []


def test_starting_and_preparing_again_changes_nothing(own: Cluster) -> None:
    kept = read_secrets(own.home.parent)

    assert cluster.start(own) is False
    roles.prepare(own.url(), kept)

    assert value(own.url(), "SELECT count(*) FROM pg_roles WHERE rolname LIKE 'wangge_%'") == 7


def test_what_was_committed_survives_kill_nine_and_an_immediate_start(own: Cluster) -> None:
    with psycopg.connect(own.url(), autocommit=True) as conn:
        conn.execute("CREATE TABLE IF NOT EXISTS kept (n int)")
        conn.execute("INSERT INTO kept SELECT generate_series(1, 1000)")
        cluster.kill(own)

        cluster.start(own)

    assert value(own.url(), "SELECT count(*) FROM kept") == 1000


def test_a_server_that_may_lose_writes_is_refused(admin_url: str) -> None:
    with psycopg.connect(admin_url, autocommit=True) as conn:
        with pytest.raises(roles.UnsafeServer, match="fsync=off"):
            roles.check_durability(conn)
        roles.check_durability(conn, is_override=True)


def test_data_of_another_server_version_are_left_alone(tmp_path: Path) -> None:
    old = Cluster(tmp_path / "pg", "x")
    old.data.mkdir(parents=True)
    (old.data / "PG_VERSION").write_text("13\n")

    with pytest.raises(cluster.ClusterError, match="PostgreSQL 13"):
        cluster.start(old)
