"""The processes of one machine: started, watched, restarted and stopped without a service.

`up` starts one supervisor (`app/supervisor.py`) in a session of its own, which starts web,
live, worker and sealer and starts again what dies. In production each is a unit of its
own (`deploy/`) and this module is not used.
"""

import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from app import cluster
from app.config import ROOT, Settings
from app.pids import record, recorded, restarts, start_ticks

NAMES = ("web", "live", "worker", "sealer")
#: The system hands out ports from 32768 on to outgoing connections: one of ours could be taken.
LAST_PORT = 32767
STOP_WITHIN_S = 25.0
LARGEST_LOG = 10 * 1024 * 1024


class ProcessError(Exception):
    """A process of the platform does not start or does not answer."""


@dataclass(frozen=True, slots=True)
class Ports:
    """Where web and live listen."""

    web: int
    live: int


@dataclass(frozen=True, slots=True)
class Program:
    """One process: its name and how it is started."""

    name: str
    command: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Status:
    """What is known of one process; `pid` is None where it does not run."""

    name: str
    pid: int | None
    running_s: float
    restarts: int
    memory_mb: int
    address: str = ""


def programs(*, is_development: bool = False) -> tuple[Program, ...]:
    """List the processes of the platform, in the order they start."""
    gunicorn = (sys.executable, "-m", "gunicorn", "--config")
    web = (*gunicorn, str(ROOT / "deploy/gunicorn_web.py"))
    live = (*gunicorn, str(ROOT / "deploy/gunicorn_live.py"), "app.live:create_live_app()")
    cli = (sys.executable, "-m", "app.cli")
    reload = ("--reload", "--workers", "1") if is_development else ()
    return (
        Program("web", (*web, *reload, "app.wsgi:app")),
        Program("live", live),
        Program("worker", (*cli, "worker")),
        Program("sealer", (*cli, "sealer")),
    )


def environment(settings: Settings, ports: Ports) -> dict[str, str]:
    """Build the environment of a process: the caller's, with the ports that were chosen."""
    return {
        **os.environ,
        "WANGGE_VAR_DIR": str(settings.var_dir),
        "WANGGE_CITY_ZONE": settings.city_zone,
        "WANGGE_SECOND_FACTOR": settings.second_factor,
        "WANGGE_WEB_PORT": str(ports.web),
        "WANGGE_LIVE_PORT": str(ports.live),
        "PYTHONUNBUFFERED": "1",
    }


def spawn(
    program: Program, env: Mapping[str, str], log_path: Path, *, is_bound: bool = False
) -> "subprocess.Popen[bytes]":
    """Start a process with its words in a log file; a bound one ends when we do."""
    log_path.parent.mkdir(parents=True, exist_ok=True)
    if log_path.exists() and log_path.stat().st_size > LARGEST_LOG:
        log_path.replace(log_path.with_suffix(".log.1"))
    bond = ("setpriv", "--pdeathsig", "TERM") if is_bound and shutil.which("setpriv") else ()
    with log_path.open("ab") as stream:
        return subprocess.Popen(
            (*bond, *program.command), cwd=ROOT, env=dict(env), stdin=subprocess.DEVNULL,
            stdout=stream, stderr=stream, start_new_session=True,
        )  # fmt: skip


# --- Starting and stopping ----------------------------------------------------------------


def up(settings: Settings, *, wait_s: float = 180.0) -> tuple[Ports, bool]:
    """Start everything and wait until it answers; say where, and whether it was down."""
    run_dir = settings.var_dir / "run"
    run_dir.mkdir(parents=True, exist_ok=True)
    running = known_ports(settings)
    if running and recorded(run_dir, "supervisor"):
        wait_until_ready(settings, running, wait_s)
        return running, False
    stop_all(settings)
    ports = choose_ports(settings)
    keep_ports(settings, ports)
    supervisor = Program("supervisor", (sys.executable, "-m", "app.cli", "supervise"))
    child = spawn(supervisor, environment(settings, ports), settings.var_dir / "log/supervisor.log")
    record(run_dir, "supervisor", child.pid)
    wait_until_ready(settings, ports, wait_s)
    return ports, True


def stop_all(settings: Settings) -> list[str]:
    """Stop the supervisor and whatever it left; return the names of what was running."""
    run_dir = settings.var_dir / "run"
    # The supervisor first: it would start again what we stop.
    stopped = [name for name in ("supervisor", *NAMES) if _stop(run_dir, name)]
    for path in run_dir.glob("*.pid"):
        path.unlink(missing_ok=True)
    return stopped


def _stop(run_dir: Path, name: str) -> bool:
    """Ask a process to end, and end it when it does not."""
    pid = recorded(run_dir, name)
    if pid is None:
        return False
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + STOP_WITHIN_S
        while time.monotonic() < deadline and recorded(run_dir, name) == pid:
            time.sleep(0.05)
        if recorded(run_dir, name) == pid:
            os.kill(pid, signal.SIGKILL)
    return True


def wait_until_ready(settings: Settings, ports: Ports, wait_s: float) -> None:
    """Wait until web answers and live listens; raise `ProcessError` with the log's last words."""
    deadline = time.monotonic() + wait_s
    waiting: dict[str, Callable[[], bool]] = {
        "web": lambda: answers(f"http://127.0.0.1:{ports.web}/healthz"),
        "live": lambda: answers(f"http://127.0.0.1:{ports.live}/"),
    }
    for name, is_ready in waiting.items():
        while not is_ready():
            if time.monotonic() > deadline:
                raise ProcessError(
                    f"{name} does not answer after {wait_s:.0f} s; the end of its log:\n"
                    + last_words(settings.var_dir / "log" / f"{name}.log")
                )
            time.sleep(0.1)


def answers(url: str) -> bool:
    """Say whether somebody serves at an address; a refusal is an answer, a failure is none."""
    try:
        with urllib.request.urlopen(url, timeout=2):  # noqa: S310 - our own address
            return True
    except urllib.error.HTTPError as refusal:
        return refusal.code < 500
    except OSError:
        return False


def last_words(path: Path, lines: int = 15) -> str:
    """Quote the end of a log."""
    if not path.exists():
        return "(no log)"
    with path.open("rb") as stream:
        stream.seek(max(0, path.stat().st_size - 8192))
        text = stream.read().decode(errors="replace")
    return "\n".join(text.splitlines()[-lines:])


# --- Ports --------------------------------------------------------------------------------


def choose_ports(settings: Settings) -> Ports:
    """Take the ports of the settings, or the next free ones."""
    web = free_port(settings.web_port, settings.bind)
    live = free_port(settings.live_port if settings.live_port != web else web + 1, settings.bind)
    return Ports(web, live)


def free_port(wanted: int, bind: str = "127.0.0.1") -> int:
    """Return the first free port from the wanted one on, below the system's own range."""
    for port in range(wanted, LAST_PORT + 1):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            with contextlib.suppress(OSError):
                probe.bind((bind, port))
                return port
    raise ProcessError(f"no free port from {wanted} to {LAST_PORT}")


def keep_ports(settings: Settings, ports: Ports) -> None:
    """Note where the processes listen, for `status` and for the supervisor."""
    path = settings.var_dir / "run/ports.json"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps({"web": ports.web, "live": ports.live}))


def known_ports(settings: Settings) -> Ports | None:
    """Read where the running processes listen."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        found = json.loads((settings.var_dir / "run/ports.json").read_text())
        return Ports(int(found["web"]), int(found["live"]))
    return None


# --- Status -------------------------------------------------------------------------------


def status(settings: Settings) -> list[Status]:
    """Say what runs, since when, and how often it was started again."""
    run_dir = settings.var_dir / "run"
    ports = known_ports(settings)
    found = list(_database_status(settings))
    for name in ("supervisor", *NAMES):
        pid = recorded(run_dir, name)
        port = getattr(ports, name, None) if ports and pid else None
        address = f"http://{settings.bind}:{port}" if port else ""
        found.append(_status(name, pid, restarts(run_dir, name), address))
    return found


def _database_status(settings: Settings) -> Iterator[Status]:
    if settings.is_private_cluster:
        private = cluster.private(settings)
        pid = cluster.postmaster(private) if cluster.is_running(private) else None
        yield _status("database", pid, 0, str(private.socket) if pid else "")


def _status(name: str, pid: int | None, restarts: int, address: str) -> Status:
    if pid is None:
        return Status(name, None, 0.0, restarts, 0, address)
    uptime = float(Path("/proc/uptime").read_text().split()[0])
    running_s = uptime - start_ticks(pid) / os.sysconf("SC_CLK_TCK")
    own = [pid] if name == "supervisor" else [pid, *_children(pid)]
    return Status(name, pid, running_s, restarts, _memory_mb(own), address)


def _memory_mb(family: list[int]) -> int:
    """Return the resident memory of processes together; what they share counts in each."""
    pages = 0
    for each in family:
        with contextlib.suppress(OSError, IndexError, ValueError):
            pages += int(Path(f"/proc/{each}/statm").read_text().split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") // 2**20


def _children(pid: int) -> list[int]:
    with contextlib.suppress(OSError):
        return [int(x) for x in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]
    return []
