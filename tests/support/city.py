"""A city that runs: real web, live, worker and sealer processes on a database of its own."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from app import cluster, processes
from app.config import ROOT, Settings
from tests.support.database import SCHEMA_SOURCES, Server, build_schema, environment_for

SCALE = 0.004
SEED = 7
CITY_SOURCES = (*SCHEMA_SOURCES, "grids/synth", "gis/lattice.py", "gis/link.py", "grids/bulk.py")
#: Each test process looks for ports in a range of its own, below the system's.
FIRST_PORT = 20_000


@dataclass
class CityServer:
    """Where a running city answers, who may sign in, and how to hurt its processes."""

    settings: Settings
    env: dict[str, str]
    ports: processes.Ports
    logins: list[dict[str, Any]]
    running: dict[str, "subprocess.Popen[bytes]"] = field(default_factory=dict)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports.web}"

    @property
    def live_url(self) -> str:
        return f"http://127.0.0.1:{self.ports.live}"

    def login(self, role: str, department: str | None = None) -> dict[str, Any]:
        """Return the sign-in of a role: `login`, `password`, `area`."""
        return next(
            found
            for found in self.logins
            if found["role"] == role and department in (None, found["department"])
        )

    def start(self, name: str) -> None:
        program = next(item for item in processes.programs() if item.name == name)
        log_path = self.settings.var_dir / "log" / f"{name}.log"
        self.running[name] = processes.spawn(program, self.env, log_path, is_bound=True)

    def kill(self, name: str, number: int = signal.SIGKILL) -> None:
        """Send a signal to a process and all it started, and wait until it is gone."""
        popen = self.running.pop(name)
        os.killpg(popen.pid, number)
        popen.wait(30)

    def wait(self) -> None:
        processes.wait_until_ready(self.settings, self.ports, 90)

    def log(self, name: str) -> str:
        return processes.last_words(self.settings.var_dir / "log" / f"{name}.log", 60)

    def stop(self) -> None:
        for popen in self.running.values():
            popen.terminate()
        for popen in self.running.values():
            try:
                popen.wait(15)
            except subprocess.TimeoutExpired:
                os.killpg(popen.pid, signal.SIGKILL)
                popen.wait(15)
        self.running.clear()


def build_small_city(admin_url: str) -> None:
    """Migrate and fill a database with a small simulated city."""
    from app import installation

    build_schema(admin_url)
    settings = Settings.load({"WANGGE_DATABASE_URL": admin_url})
    installation.build_city(settings, scale=SCALE, seed=SEED, progress=lambda _text: None)


@pytest.fixture(scope="session")
def city_template(server: Server) -> str:
    """Name of the template with the small city; built again each day, for its cases lead to today."""
    today = datetime.now(UTC).strftime("%m%d")
    return server.template(f"city{today}", CITY_SOURCES, build_small_city)


@pytest.fixture(scope="session")
def city_admin_url(server: Server, city_template: str) -> Iterator[str]:
    """Address, for the superuser, of a small city for tests that only read it."""
    name = server.clone(city_template, "city")
    yield server.url(name)
    server.drop(name)


@pytest.fixture(scope="session")
def run_city(
    server: Server, city_template: str, tmp_path_factory: pytest.TempPathFactory
) -> Callable[[str], Any]:
    """Return a context manager that runs a city of its own, named by its purpose."""
    from contextlib import contextmanager

    @contextmanager
    def run(purpose: str) -> Iterator[CityServer]:
        name = server.clone(city_template, purpose)
        made = _describe(server.url(name), tmp_path_factory.mktemp(f"var-{purpose}"))
        try:
            for program in processes.programs():
                made.start(program.name)
            made.wait()
            yield made
        finally:
            made.stop()
            server.drop(name)

    return run


def _describe(admin_url: str, var_dir: Path) -> CityServer:
    """Choose ports and draw the sign-ins."""
    from app import installation
    from grids.demo import create_demo_accounts

    first = FIRST_PORT + os.getpid() % 1000 * 12
    web = processes.free_port(first)
    ports = processes.Ports(web, processes.free_port(web + 1))
    env = environment_for(
        admin_url, var_dir, WANGGE_WEB_PORT=str(ports.web), WANGGE_LIVE_PORT=str(ports.live)
    )
    settings = Settings.load(env)
    (var_dir / "run").mkdir(parents=True, exist_ok=True)
    with installation.owner_session(settings) as session:
        logins = [one.as_dict() for one in create_demo_accounts(session, now=datetime.now(UTC))]
    return CityServer(settings, {**os.environ, **env, "PYTHONUNBUFFERED": "1"}, ports, logins)


@pytest.fixture(scope="session")
def city_server(run_city: Callable[[str], Any]) -> Iterator[CityServer]:
    """The running city that browser tests share. A test that kills processes runs its own."""
    with run_city("shared") as made:
        yield made


@dataclass
class Installation:
    """A whole installation with its private, durable database, as `./wangge up` makes it."""

    settings: Settings
    env: dict[str, str]
    ports: processes.Ports

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.ports.web}"

    def command(self, *arguments: str) -> "subprocess.CompletedProcess[str]":
        """Run one of the platform's commands in this installation."""
        return subprocess.run(
            [sys.executable, "-m", "app.cli", *arguments],
            cwd=ROOT, env=self.env, capture_output=True, text=True, check=False,
        )  # fmt: skip

    def pid(self, name: str) -> int:
        """Return the process number of web, live, worker or sealer, waiting for a restart."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            for row in processes.status(self.settings):
                if row.name == name and row.pid:
                    return row.pid
            time.sleep(0.05)
        pytest.fail(f"{name} does not run")

    def kill(self, name: str) -> None:
        """Kill a process and all it started, as a crash of the machine would."""
        if name == "database":
            cluster.kill(cluster.private(self.settings))
        else:
            os.killpg(self.pid(name), signal.SIGKILL)


@pytest.fixture
def installation(tmp_path: Path) -> Iterator[Installation]:
    """An installation with a durable database and a small city; slow, for tests of recovery."""
    web = processes.free_port(FIRST_PORT + 500 + os.getpid() % 1000 * 12)
    ports = processes.Ports(web, processes.free_port(web + 1))
    env = {
        **{name: value for name, value in os.environ.items() if not name.startswith("WANGGE_")},
        "WANGGE_VAR_DIR": str(tmp_path / "var"),
        "WANGGE_WEB_PORT": str(ports.web),
        "WANGGE_LIVE_PORT": str(ports.live),
    }
    made = Installation(Settings.load(env), env, ports)
    try:
        for arguments in (("synth", "--scale", str(SCALE), "--seed", str(SEED)), ("up",)):
            done = made.command(*arguments)
            assert done.returncode == 0, done.stdout + done.stderr
        found = json.loads((made.settings.var_dir / "run/ports.json").read_text())
        made.ports = processes.Ports(found["web"], found["live"])
        yield made
    finally:
        made.command("down")
