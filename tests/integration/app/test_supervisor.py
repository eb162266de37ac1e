"""The supervisor starts again what dies, waits longer each time, and ends cleanly."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

import pytest

from app import pids, processes
from app.config import ROOT, Settings

T = TypeVar("T")
SCRIPT = """
import sys
from app.config import Settings
from app.processes import Program
from app.supervisor import supervise
sleeper = Program("web", (sys.executable, "-c", "import time; time.sleep(600)"))
failing = Program("live", (sys.executable, "-c", "raise SystemExit(3)"))
supervise(Settings.load(), (sleeper, failing))
"""


@pytest.fixture
def supervised(tmp_path: Path) -> Iterator[Settings]:
    """A supervisor of one program that sleeps and one that always fails."""
    # A server of somebody else: there is no private database to look after.
    env = {
        **os.environ,
        "WANGGE_VAR_DIR": str(tmp_path),
        "WANGGE_DATABASE_URL": "postgresql://x@y/z",
    }
    settings = Settings.load(env)
    popen = subprocess.Popen([sys.executable, "-c", SCRIPT], cwd=ROOT, env=env)
    yield settings
    with contextlib.suppress(ProcessLookupError):
        popen.terminate()
    popen.wait(30)


def eventually(look: Callable[[], T]) -> T:
    """Ask until the answer is true; the test fails after 20 seconds."""
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        found = look()
        if found:
            return found
        time.sleep(0.05)
    pytest.fail("it did not happen within 20 s")


def pid_of(settings: Settings, name: str) -> int | None:
    return pids.recorded(settings.var_dir / "run", name)


def test_a_killed_process_is_started_again(supervised: Settings) -> None:
    first = eventually(lambda: pid_of(supervised, "web"))
    assert first is not None

    os.kill(first, signal.SIGKILL)

    assert eventually(lambda: pid_of(supervised, "web") not in (None, first))
    assert pids.restarts(supervised.var_dir / "run", "web") == 1


def test_one_that_keeps_failing_is_started_later_and_later(supervised: Settings) -> None:
    run_dir = supervised.var_dir / "run"
    eventually(lambda: pids.restarts(run_dir, "live") >= 2)
    began = time.monotonic()

    eventually(lambda: pids.restarts(run_dir, "live") >= 4)

    # The pauses double from 0.5 s: the third and fourth are 2 and 4 s.
    assert time.monotonic() - began > 3


def test_stopping_ends_everything_it_started(supervised: Settings) -> None:
    web = eventually(lambda: pid_of(supervised, "web"))
    assert web is not None

    stopped = processes.stop_all(supervised)

    assert "supervisor" in stopped
    assert pids.state(web) == "Z"
    assert list((supervised.var_dir / "run").glob("*.pid")) == []


def test_a_process_file_of_a_number_that_is_somebody_elses_now_counts_as_down(
    tmp_path: Path,
) -> None:
    (tmp_path / "web.pid").write_text(f"{os.getpid()} 1 0\n")

    assert pids.recorded(tmp_path, "web") is None


def test_a_port_that_is_taken_is_passed_over() -> None:
    first = processes.free_port(18_050)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        taken.listen()

        second = processes.free_port(first)

    assert first < second <= processes.LAST_PORT


def test_a_killed_supervisor_leaves_nothing_behind(supervised: Settings) -> None:
    run_dir = supervised.var_dir / "run"
    web = eventually(lambda: pid_of(supervised, "web"))
    supervisor = eventually(lambda: pids.recorded(run_dir, "supervisor"))
    assert web is not None
    assert supervisor is not None

    os.kill(supervisor, signal.SIGKILL)

    assert eventually(lambda: pids.state(web) == "Z")
