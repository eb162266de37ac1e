"""Real mail servers: Dovecot with a box of its own, and an SMTP server that keeps what it gets."""

import imaplib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

DOVECOT = "/usr/sbin/dovecot"
PASSWORD = "password-of-the-box"
CONFIG = """
base_dir = {home}/run
log_path = {home}/log
protocols = imap
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
mail_location = maildir:{home}/mail/%u
first_valid_uid = 0
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={home}/mail/%u
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service auth-worker {{
  user = {user}
}}
service stats {{
  chroot =
}}
"""


@dataclass
class Box:
    """A box on the server, filled as a mail server fills it."""

    port: int
    login: str

    @property
    def url(self) -> str:
        return f"imap://{self.login}@127.0.0.1:{self.port}/INBOX"

    @contextmanager
    def signed_in(self) -> Iterator[imaplib.IMAP4]:
        connection = imaplib.IMAP4("127.0.0.1", self.port, timeout=10)
        connection.login(self.login, PASSWORD)
        try:
            connection.select("INBOX")
            yield connection
        finally:
            connection.logout()

    def deliver(self, *letters: bytes | EmailMessage) -> None:
        with self.signed_in() as connection:
            for one in letters:
                raw = one if isinstance(one, bytes) else one.as_bytes()
                status, said = connection.append("INBOX", "", "", raw)
                assert status == "OK", said

    def seen(self) -> int:
        with self.signed_in() as connection:
            return len(connection.search(None, "SEEN")[1][0].split())

    def number_anew(self) -> None:
        """Rebuild the box as after a restore: the same letters under other numbers."""
        with self.signed_in() as connection:
            numbers = connection.search(None, "ALL")[1][0].split()
            letters = [connection.fetch(number, "(BODY.PEEK[])")[1][0][1] for number in numbers]
            connection.create("Elsewhere")
            connection.store("1:*", "+FLAGS", r"(\Deleted)")
            connection.expunge()
        self.deliver(*letters)


@pytest.fixture(scope="session")
def mail_server() -> Iterator[int]:
    """Dovecot on a port of its own."""
    if not Path(DOVECOT).exists():
        pytest.skip("no Dovecot: as root, ./wangge test installs it")
    home = Path(tempfile.mkdtemp(prefix="wangge-mail-", dir="/tmp"))
    home.chmod(0o755)
    user = pwd.getpwnam("nobody" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name)
    (home / "mail").mkdir()
    os.chown(home / "mail", user.pw_uid, user.pw_gid)
    port = _free_port()
    config = home / "dovecot.conf"
    config.write_text(
        CONFIG.format(
            home=home, user=user.pw_name, uid=user.pw_uid, gid=user.pw_gid, port=port,
            group=_group(user.pw_gid), password=PASSWORD,
        )
    )  # fmt: skip
    server = subprocess.Popen([DOVECOT, "-F", "-c", str(config)], start_new_session=True)
    try:
        _wait(port, server, home)
        yield port
    finally:
        server.terminate()
        server.wait(10)
        shutil.rmtree(home, ignore_errors=True)


def _group(gid: int) -> str:
    import grp

    return grp.getgrgid(gid).gr_name


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


def _wait(port: int, server: "subprocess.Popen[bytes]", home: Path) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if server.poll() is not None:
            break
        try:
            imaplib.IMAP4("127.0.0.1", port, timeout=1).logout()
        except (OSError, imaplib.IMAP4.error):
            time.sleep(0.05)
        else:
            return
    log = home / "log"
    pytest.fail(f"Dovecot does not answer: {log.read_text() if log.exists() else 'no log'}")


@dataclass
class Sent:
    """What an SMTP server took."""

    port: int
    letters: list[EmailMessage]
    refuses: bool = False

    @property
    def url(self) -> str:
        return f"smtp://127.0.0.1:{self.port}"


@contextmanager
def smtp_server() -> Iterator[Sent]:
    """An SMTP server that keeps what it gets, or refuses every recipient for good."""
    made = Sent(_free_port(), [])

    class Handler:
        async def handle_RCPT(  # noqa: N802 - the library names it
            self, _server: Any, _session: Any, envelope: Any, address: str, _options: Any
        ) -> str:
            if made.refuses:
                return "550 no such box"
            envelope.rcpt_tos.append(address)
            return "250 OK"

        async def handle_DATA(  # noqa: N802 - the library names it
            self, _server: Any, _session: Any, envelope: Any
        ) -> str:
            letter = message_from_bytes(envelope.content, policy=policy.default)
            assert isinstance(letter, EmailMessage)
            made.letters.append(letter)
            return "250 kept"

    controller = Controller(Handler(), hostname="127.0.0.1", port=made.port)
    controller.start()
    try:
        yield made
    finally:
        controller.stop()
