"""What every test may ask for. Folders decide what a test speaks to; see docs/testing.md."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from app import cluster

pytest_plugins = [
    "tests.support.database",
    "tests.support.web",
    "tests.support.city",
    "tests.support.browser",
    "tests.support.maps",
    "tests.support.oidc",
    "tests.support.import_desk",
]

LOOPBACK = ("127.", "::1", "localhost", "0.0.0.0")


@pytest.fixture(autouse=True, scope="session")
def _no_outside_sockets() -> Any:
    """Refuse connections to other machines: a test that needs one is wrong."""
    real = socket.socket.connect

    def connect(self: socket.socket, address: Any) -> None:
        is_inet = self.family in (socket.AF_INET, socket.AF_INET6)
        if is_inet and not str(address[0]).startswith(LOOPBACK):
            pytest.fail(f"the test connects to {address[0]}")
        real(self, address)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", connect)
        yield


@pytest.fixture(autouse=True, scope="session")
def shipped_hasher() -> Iterator[PasswordHasher]:
    """Hash passwords cheaply in the test's own process; return the hasher that is shipped.

    Thousands of tests sign somebody in: the shipped cost, 64 MiB each time, was a third of the
    whole run. Processes that tests start are as they are shipped.
    """
    from grids.accounts import passwords

    shipped = passwords.HASHER
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            passwords, "HASHER", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)
        )
        yield shipped


@pytest.fixture(autouse=True, scope="session")
def _folders_the_server_may_enter() -> Any:
    """Let another user pass through the tests' folders, where root has no user namespaces.

    There the database runs as `postgres` (app/cluster.py), who cannot enter what pytest makes.
    """
    if os.getuid() != 0 or cluster.namespaces_work():
        yield
        return
    real = pytest.TempPathFactory.mktemp

    def mktemp(self: pytest.TempPathFactory, basename: str, numbered: bool = True) -> Path:
        made = real(self, basename, numbered)
        for folder in (made, *made.parents):
            if folder.stat().st_mode & 0o001 == 0:
                folder.chmod(0o711)
        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pytest.TempPathFactory, "mktemp", mktemp)
        yield


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Deal out whole files, the longest first."""
    from tests.support.dealing import ByFile

    return ByFile(config, log)
