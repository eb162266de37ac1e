"""The private PostgreSQL cluster of the embedded default.

It lives in one folder, listens on a socket only and never touches a cluster of the
system. PostgreSQL refuses to run as root: then it runs in a user namespace where root is
uid 1000, so that files keep their owner and no account is added; where namespaces are
forbidden, as the user `postgres` or `nobody`.
"""

import contextlib
import fcntl
import json
import logging
import os
import pwd
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from app import pids
from app.config import (
    ADMIN,
    DATABASE,
    ROOT,
    Settings,
    read_secrets,
    server_url,
    socket_folder,
)

log = logging.getLogger("wangge.cluster")

SERVER_MAJOR = "15"
DEBIAN_BIN = Path("/usr/lib/postgresql") / SERVER_MAJOR / "bin"
NAMESPACE = ("unshare", "--user", "--map-user=1000", "--map-group=1000")
START_TRIES = 6
SHARED_MEMORY = Path("/dev/shm")  # noqa: S108 - looked at, never written
ENOUGH_SHARED_MEMORY = 256 * 1024 * 1024

DURABLE = {"fsync": "on", "synchronous_commit": "on", "full_page_writes": "on"}
#: Only for a cluster of tests, whose data nobody misses.
THROW_AWAY = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "max_wal_size": "2GB",
    # Three test processes, each with cities whose web, live and worker processes hold pools.
    "max_connections": "300",
    # What hangs fails by its name, before it holds back others for the rest of the run.
    "statement_timeout": "300s",
}


class ClusterError(Exception):
    """The database server cannot be found, made or started."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """A cluster in `home/{data,run,log}`."""

    home: Path
    admin_password: str
    auth: str = "scram-sha-256"
    durability: Mapping[str, str] = field(default_factory=lambda: DURABLE)

    @property
    def data(self) -> Path:
        """Folder of the database files."""
        return self.home / "data"

    @property
    def log_dir(self) -> Path:
        """Folder of the server's own log."""
        return self.home / "log"

    @property
    def socket(self) -> Path:
        """Folder of the socket, readable for this user only."""
        return socket_folder(self.home)

    def url(self, database: str = DATABASE) -> str:
        """Write the address for the superuser of the cluster."""
        return server_url(str(self.socket), ADMIN, self.admin_password, database)


def private(settings: Settings) -> Cluster:
    """Describe the cluster of this installation."""
    return Cluster(settings.var_dir / "pg", read_secrets(settings.var_dir)[ADMIN])


def throw_away(var_dir: Path) -> Cluster:
    """Describe the cluster of the tests: fast, and free to forget everything."""
    home = var_dir / "test-pg"
    return Cluster(home, "none", auth="trust", durability=THROW_AWAY)


def start(cluster: Cluster) -> bool:
    """Make the cluster where it is missing and start it; say whether it was down.

    After a kill -9 the first start fails while old children still live; PostgreSQL
    itself then clears what they left, so we only try again (never touch its pid file).
    """
    with _locked(cluster):
        if is_running(cluster):
            return False
        _make(cluster)
        _write_settings(cluster)
        for attempt in range(1, START_TRIES + 1):
            done = _run(cluster, "pg_ctl", "-D", cluster.data, "-w", "-t", "120",
                        "-l", cluster.log_dir / "start.log", "start")  # fmt: skip
            if done.returncode == 0:
                return True
            log.warning("database start %d of %d failed", attempt, START_TRIES)
            time.sleep(2)
    raise ClusterError(f"the database does not start: {_last_words(cluster)}")


def stop(cluster: Cluster) -> bool:
    """Stop the cluster, ending open sessions; say whether it was running."""
    with _locked(cluster):
        if not is_running(cluster):
            return False
        done = _run(cluster, "pg_ctl", "-D", cluster.data, "-m", "fast", "-w", "-t", "60", "stop")
        if done.returncode:
            raise ClusterError(f"the database does not stop: {done.stderr.strip()}")
        return True


def is_running(cluster: Cluster) -> bool:
    """Say whether the postmaster of this cluster lives."""
    pid = postmaster(cluster)
    return pid is not None and _lives(pid, "postgres")


def postmaster(cluster: Cluster) -> int | None:
    """Read the process number that the cluster recorded."""
    try:
        return int((cluster.data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def kill(cluster: Cluster) -> None:
    """Kill the postmaster like a power cut would: for tests of recovery."""
    pid = postmaster(cluster)
    if pid is not None and _lives(pid, "postgres"):
        os.kill(pid, signal.SIGKILL)
        while _lives(pid, "postgres"):
            time.sleep(0.01)


def server_bin() -> Path:
    """Find the server's programs: unpacked under var by set-up, or Debian's."""
    unpacked = server_environment().get("WANGGE_PG_BIN")
    folder = Path(unpacked) if unpacked else DEBIAN_BIN
    if not (folder / "postgres").exists():
        raise ClusterError(f"no PostgreSQL {SERVER_MAJOR} in {folder}: run ./wangge doctor")
    return folder


def server_environment() -> dict[str, str]:
    """Read what an unpacked server needs in its environment; empty for an installed one."""
    recipe = ROOT / "var/boot/debs/environment.json"
    found: dict[str, str] = json.loads(recipe.read_text()) if recipe.exists() else {}
    return found


def _make(cluster: Cluster) -> None:
    """Run initdb where there is no cluster yet."""
    version = cluster.data / "PG_VERSION"
    if version.exists():
        if version.read_text().strip() != SERVER_MAJOR:
            raise ClusterError(
                f"{cluster.data} is of PostgreSQL {version.read_text().strip()}, this is "
                f"{SERVER_MAJOR}: see docs/operating.md, moving to another server"
            )
        return
    if shutil.disk_usage(_existing(cluster.home)).free < 300 * 1024 * 1024:
        raise ClusterError("less than 300 MB free: no room for a database")
    for folder in (cluster.home, cluster.data, cluster.log_dir):
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    password_file = cluster.home / "password"
    password_file.touch(mode=0o600)
    password_file.write_text(cluster.admin_password)
    _hand_over(cluster)
    try:
        done = _run(cluster, "initdb", "-D", cluster.data, "-U", ADMIN, "-k", "-E", "UTF8",
                    "--locale=C.UTF-8", f"--auth={cluster.auth}",
                    f"--pwfile={password_file}")  # fmt: skip
    finally:
        password_file.unlink()
    if done.returncode:
        raise ClusterError(f"initdb failed: {done.stderr.strip()[-500:]}")
    with (cluster.data / "postgresql.conf").open("a") as main:
        main.write("include_if_exists = 'wangge.conf'\n")


def _write_settings(cluster: Cluster) -> None:
    """Write our part of the server's settings."""
    cluster.socket.mkdir(mode=0o700, parents=True, exist_ok=True)
    if cluster.socket.stat().st_uid not in (os.getuid(), cluster.data.stat().st_uid):
        raise ClusterError(f"{cluster.socket} belongs to somebody else")
    _hand_over(cluster)
    values = {
        "listen_addresses": "",
        "unix_socket_directories": str(cluster.socket),
        "unix_socket_permissions": "0700",
        "shared_buffers": "256MB",
        "max_connections": "100",
        "jit": "off",
        # A container often has 64 MB of /dev/shm, with which posix does not start.
        "dynamic_shared_memory_type": "posix" if _has_shared_memory() else "mmap",
        "logging_collector": "on",
        "log_directory": str(cluster.log_dir),
        "log_filename": "server-%a.log",
        "log_truncate_on_rotation": "on",
        "log_rotation_age": "1d",
        "log_line_prefix": "%m [%p] %u@%d ",
        "log_min_duration_statement": "2s",
        "log_parameter_max_length": "0",  # values may be personal
        "log_parameter_max_length_on_error": "0",
        "timezone": "UTC",
        "shared_preload_libraries": "pg_stat_statements" if _has_statistics() else "",
        **cluster.durability,
    }
    lines = [f"{name} = '{value}'\n" for name, value in values.items()]
    (cluster.data / "wangge.conf").write_text("".join(lines))


def _has_shared_memory() -> bool:
    """Say whether /dev/shm is large enough and open to every user."""
    return (
        SHARED_MEMORY.is_dir()
        and SHARED_MEMORY.stat().st_mode & 0o002 != 0
        and shutil.disk_usage(SHARED_MEMORY).free >= ENOUGH_SHARED_MEMORY
    )


def _has_statistics() -> bool:
    done = subprocess.run(
        [server_bin() / "pg_config", "--pkglibdir"],
        capture_output=True, text=True, check=False, env=_environment(),
    )  # fmt: skip
    folders = [Path(done.stdout.strip()), server_bin().parent / "lib"]
    return any((folder / "pg_stat_statements.so").exists() for folder in folders)


def _run(cluster: Cluster, program: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run one of the server's programs as somebody the server accepts."""
    command = [*_prefix(cluster), str(server_bin() / program), *map(str, arguments)]
    # The postmaster inherits the streams: pipes would never close, so files take them.
    output = cluster.log_dir / f"{program}.log"
    with output.open("w+") as stream:
        done = subprocess.run(
            command, stdin=subprocess.DEVNULL, stdout=stream, stderr=stream,
            cwd=cluster.home, env=_environment(), check=False, start_new_session=True,
        )  # fmt: skip
        stream.seek(0)
        return subprocess.CompletedProcess(command, done.returncode, "", stream.read())


def _environment() -> dict[str, str]:
    """Build the environment of the server's programs: nothing of the caller's PG* variables."""
    base = {"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LANG": "C.UTF-8", "TZ": "UTC"}
    return {**base, **server_environment()}


def _prefix(cluster: Cluster) -> tuple[str, ...]:
    """Choose how the server's programs are run, by who we are and who owns the data."""
    if os.getuid() != 0:
        return ()
    owner = cluster.data.stat().st_uid if cluster.data.exists() else 0
    if owner != 0:
        return _as_user(owner)
    if namespaces_work():
        return NAMESPACE
    return _as_user(_server_user())


def _as_user(uid: int) -> tuple[str, ...]:
    gid = pwd.getpwuid(uid).pw_gid
    return ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups")


def _hand_over(cluster: Cluster) -> None:
    """Give the folders to the server's user, where namespaces are forbidden to root."""
    if os.getuid() != 0:
        return
    owner = cluster.data.stat().st_uid
    if owner == 0 and namespaces_work():
        return
    uid = owner or _server_user()
    for top in (cluster.home, cluster.socket):
        for path in [top, *top.rglob("*")] if top.exists() else []:
            os.chown(path, uid, pwd.getpwuid(uid).pw_gid, follow_symlinks=False)


def namespaces_work() -> bool:
    """Say whether root may make a user namespace, which containers often forbid."""
    if shutil.which("unshare") is None:
        return False
    done = subprocess.run([*NAMESPACE, "true"], capture_output=True, check=False)
    return done.returncode == 0


def _server_user() -> int:
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name).pw_uid
    raise ClusterError("root may not run the database and there is no user postgres or nobody")


def _lives(pid: int, name: str) -> bool:
    """Say whether the process lives and is a program of that name, not a later one."""
    try:
        has_name = Path(f"/proc/{pid}/comm").read_text().strip().startswith(name)
    except OSError:
        return False
    return has_name and pids.state(pid) != "Z"


def _existing(path: Path) -> Path:
    return path if path.exists() else _existing(path.parent)


def _last_words(cluster: Cluster) -> str:
    """Quote the end of the start log, for the message."""
    words = ""
    with contextlib.suppress(OSError):
        words = (cluster.log_dir / "start.log").read_text()[-600:]
    return words.strip() or "see var/pg/log"


@contextlib.contextmanager
def _locked(cluster: Cluster) -> Iterator[None]:
    """Let one process at a time start or stop the cluster."""
    cluster.home.mkdir(mode=0o700, parents=True, exist_ok=True)
    with (cluster.home / "lock").open("w") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
