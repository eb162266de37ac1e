"""The supervisor: starts the processes of the platform and starts again what dies."""

import contextlib
import logging
import os
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from app import cluster
from app.config import Settings
from app.pids import record
from app.processes import STOP_WITHIN_S, Program, choose_ports, environment, known_ports, spawn

log = logging.getLogger("wangge.supervisor")

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
#: Who lived this long died of something new: its pause starts again from the first.
SETTLED_S = 30.0


@dataclass(slots=True)
class _Child:
    """A process under watch."""

    program: Program
    popen: "subprocess.Popen[bytes] | None" = None
    started_at: float = 0.0
    next_start: float = 0.0
    pause_s: float = FIRST_PAUSE_S
    restarts: int = -1


@dataclass(slots=True)
class _Watch:
    """Everything the supervisor holds."""

    settings: Settings
    env: dict[str, str]
    children: list[_Child]
    is_ending: bool = False
    next_look: float = 0.0

    @property
    def run_dir(self) -> Path:
        return self.settings.var_dir / "run"


def supervise(settings: Settings, wanted: tuple[Program, ...]) -> None:
    """Keep the programs and the private database running until told to end."""
    ports = known_ports(settings) or choose_ports(settings)
    watch = _Watch(settings, environment(settings, ports), [_Child(item) for item in wanted])
    watch.run_dir.mkdir(parents=True, exist_ok=True)
    record(watch.run_dir, "supervisor", os.getpid())

    def end(_number: int, _frame: object) -> None:
        watch.is_ending = True

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    try:
        while not watch.is_ending:
            _look(watch)
            time.sleep(0.2)
    finally:
        _end(watch)


def _look(watch: _Watch) -> None:
    """Start what does not run and is due."""
    now = time.monotonic()
    if now >= watch.next_look:
        watch.next_look = now + 1.0
        _keep_database(watch.settings)
    for child in watch.children:
        if child.popen is not None and child.popen.poll() is not None:
            _note_death(child, now)
        if child.popen is None and now >= child.next_start:
            _start(watch, child, now)


def _start(watch: _Watch, child: _Child, now: float) -> None:
    name = child.program.name
    log_path = watch.settings.var_dir / "log" / f"{name}.log"
    child.popen = spawn(child.program, watch.env, log_path, is_bound=True)
    child.started_at = now
    child.restarts += 1
    record(watch.run_dir, name, child.popen.pid, child.restarts)


def _note_death(child: _Child, now: float) -> None:
    """Plan the next start: at once after a long life, later and later after short ones."""
    status = child.popen.returncode if child.popen else None
    child.popen = None
    if now - child.started_at > SETTLED_S:
        child.pause_s = FIRST_PAUSE_S
    child.next_start = now + child.pause_s
    log.warning(
        "%s ended with status %s; starting it again in %.1f s",
        child.program.name, status, child.pause_s,
    )  # fmt: skip
    child.pause_s = min(child.pause_s * 2, LONGEST_PAUSE_S)


def _keep_database(settings: Settings) -> None:
    """Start the private database again where it died."""
    if not settings.is_private_cluster:
        return
    private = cluster.private(settings)
    if cluster.is_running(private):
        return
    log.warning("the database is down: starting it")
    try:
        cluster.start(private)
    except cluster.ClusterError as error:
        log.error("%s", error)  # noqa: TRY400 - the message says it all; the next look tries again


def _end(watch: _Watch) -> None:
    """End all children: ask, wait, then insist."""
    living = [child.popen for child in watch.children if child.popen is not None]
    for popen in living:
        with contextlib.suppress(ProcessLookupError):
            popen.terminate()
    deadline = time.monotonic() + STOP_WITHIN_S - 3
    for popen in living:
        try:
            popen.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            popen.kill()
            popen.wait()
    for name in ("supervisor", *(child.program.name for child in watch.children)):
        (watch.run_dir / f"{name}.pid").unlink(missing_ok=True)
