"""What every test may ask for. Folders decide what a test speaks to; see docs/testing.md."""

import socket
from typing import Any

import pytest

pytest_plugins = ["tests.support.database", "tests.support.web"]

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
