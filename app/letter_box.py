"""The mail server: letters fetched over IMAP, answers handed over by SMTP.

Host and login are the deployer's, from the settings; nothing that a letter says chooses where
a connection goes. Outside this machine the connection is encrypted, or is not made.
"""

from __future__ import annotations

import imaplib
import logging
import re
import smtplib
import ssl
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from app.config import InvalidSetting, Settings
from app.keys import vault_of
from grids import blobs
from grids.channels import letter_box
from grids.channels.letter_box import Keeper
from grids.outbox.outside import Mail
from grids.outbox.sending import Refused

log = logging.getLogger("wangge.letters")

TIMEOUT_S: Final = 20.0
_SIZE: Final = re.compile(rb"RFC822\.SIZE (\d+)")
PORTS: Final = {"imap": 143, "imaps": 993, "smtp": 25, "smtps": 465}
#: Only there may a connection go without encryption.
LOCAL: Final = ("127.0.0.1", "::1", "localhost")


@dataclass(frozen=True)
class Server:
    """A mail server as a setting names it: `imaps://login@host:993/INBOX`."""

    scheme: str
    host: str
    port: int
    login: str
    folder: str = "INBOX"

    @property
    def is_local(self) -> bool:
        """Say whether it runs on this machine."""
        return self.host in LOCAL


def server_of(setting: str, name: str, schemes: tuple[str, ...]) -> Server:
    """Read the address of a mail server. Raises `InvalidSetting`."""
    try:
        parts = urlsplit(setting)
        port = parts.port
    except ValueError as error:
        raise InvalidSetting(f"WANGGE_{name} is no address") from error
    if parts.scheme not in schemes or not parts.hostname or parts.password or parts.query:
        raise InvalidSetting(f"WANGGE_{name} needs {' or '.join(schemes)}://login@host")
    found = Server(
        parts.scheme, parts.hostname, port or PORTS[parts.scheme], unquote(parts.username or ""),
        unquote(parts.path.strip("/")) or "INBOX",
    )  # fmt: skip
    if found.scheme == "imap" and not found.is_local:
        raise InvalidSetting(f"WANGGE_{name} needs imaps:// outside this machine")
    return found


class ImapBox:
    """A folder that is open on an IMAP server."""

    def __init__(self, connection: imaplib.IMAP4, validity: int) -> None:
        self._connection = connection
        self.uid_validity = validity

    def uids_after(self, uid: int) -> list[int]:
        """Return the numbers of letters behind one, in order.

        A server answers a range that begins behind its last letter with that letter.
        """
        found = self._asked("SEARCH", f"UID {uid + 1}:*")
        words = b" ".join(one for one in found if isinstance(one, bytes)).split()
        return sorted(number for number in map(int, words) if number > uid)

    def size(self, uid: int) -> int:
        """Return the size of a letter in bytes."""
        told = b" ".join(_bytes_of(self._asked("FETCH", str(uid), "(RFC822.SIZE)")))
        found = _SIZE.search(told)
        return int(found[1]) if found else 0

    def head(self, uid: int) -> bytes:
        """Return the head of a letter, without marking it; nothing where it is gone."""
        return self._literal(uid, "(BODY.PEEK[HEADER])")

    def whole(self, uid: int) -> bytes:
        """Return a letter, without marking it."""
        return self._literal(uid, "(BODY.PEEK[])")

    def mark_seen(self, uids: Iterable[int]) -> None:
        """Mark letters as seen, for people who look into the box."""
        self._asked("STORE", ",".join(map(str, uids)), "+FLAGS.SILENT", r"(\Seen)")

    def _literal(self, uid: int, what: str) -> bytes:
        found = self._asked("FETCH", str(uid), what)
        return next((bytes(one[1]) for one in found if isinstance(one, tuple)), b"")

    def _asked(self, *words: str) -> list[Any]:
        status, answer = self._connection.uid(*words)
        if status != "OK":
            raise imaplib.IMAP4.error(f"{words[0]}: {status}")
        return answer


def _bytes_of(found: Iterable[Any]) -> Iterator[bytes]:
    for one in found:
        if isinstance(one, tuple):
            yield from (part for part in one if isinstance(part, bytes))
        elif isinstance(one, bytes):
            yield one


@contextmanager
def opened(server: Server, password: str) -> Iterator[ImapBox]:
    """Sign in to a box and open its folder."""
    connection: imaplib.IMAP4
    if server.scheme == "imaps":
        context = ssl.create_default_context()
        connection = imaplib.IMAP4_SSL(
            server.host, server.port, ssl_context=context, timeout=TIMEOUT_S
        )
    else:
        connection = imaplib.IMAP4(server.host, server.port, timeout=TIMEOUT_S)
    try:
        connection.login(server.login, password)
        status, _count = connection.select(f'"{server.folder}"')
        told = connection.response("UIDVALIDITY")[1]
        if status != "OK" or not told or not isinstance(told[0], bytes):
            raise imaplib.IMAP4.error(f"the folder {server.folder} cannot be opened")
        yield ImapBox(connection, int(told[0]))
    finally:
        try:
            connection.logout()
        except (OSError, imaplib.IMAP4.error):
            connection.shutdown()


def keeper_of(settings: Settings, engine: Engine) -> Keeper:
    """Return what keeps the letters of this installation."""
    return Keeper(
        engine, vault_of(settings), blobs.Store(settings.blob_dir),
        confidential=settings.mail_confidential,
    )  # fmt: skip


def look(settings: Settings, engine: Engine, *, keeper: Keeper | None = None) -> int:
    """Look into the box once; return how many letters are new, -1 where it cannot be read."""
    kept = keeper or keeper_of(settings, engine)
    server = server_of(settings.mail_box, "MAIL_BOX", ("imaps", "imap"))
    now = datetime.now(UTC)
    try:
        with opened(server, settings.mail_password) as box:
            return letter_box.poll(kept, box, now=now)
    except (imaplib.IMAP4.error, OSError, ValueError) as error:
        log.warning("the letter box cannot be read (%s)", type(error).__name__)
        letter_box.failed(kept, f"{type(error).__name__}: {error}", now=now)
        return -1


def watch(settings: Settings, engine: Engine, stop: threading.Event) -> None:
    """Look into the box again and again until told to stop.

    A thread beside the jobs, as the courier: a mail server that does not answer would hold one
    of the two places of the queue.
    """
    while not stop.is_set():
        try:
            look(settings, engine)
        except SQLAlchemyError as error:
            log.warning("letters cannot be kept (%s); again", type(error).__name__)
        stop.wait(max(5, settings.mail_every_s))


def sender_of(settings: Settings) -> Callable[[Mail], None] | None:
    """Return what hands e-mail to the mail server; None where none is connected."""
    if not settings.mail_server:
        return None
    server = server_of(settings.mail_server, "MAIL_SERVER", ("smtps", "smtp"))

    def send(mail: Mail) -> None:
        letter = written(mail, settings.mail_from)
        try:
            with _connected(server, settings.mail_password) as connection:
                connection.send_message(letter)
        except smtplib.SMTPRecipientsRefused as refused:
            code, words = next(iter(refused.recipients.values()))
            raise Refused(_said(code, words), is_final=code >= 500) from refused
        except smtplib.SMTPResponseException as refused:
            raise Refused(
                _said(refused.smtp_code, refused.smtp_error), is_down=refused.smtp_code < 500
            ) from refused

    return send


def written(mail: Mail, sender: str) -> EmailMessage:
    """Write an e-mail with the head that lets mailboxes show it beside the letter it answers."""
    letter = EmailMessage(policy=SMTP)
    letter["From"] = sender
    letter["To"] = mail.to
    letter["Subject"] = mail.subject
    letter["Date"] = format_datetime(datetime.now(UTC))
    letter["Message-ID"] = f"<{mail.id}@{sender.rpartition('@')[2]}>"
    if mail.in_reply_to:
        letter["In-Reply-To"] = mail.in_reply_to
        letter["References"] = mail.in_reply_to
    if mail.is_automatic:
        letter["Auto-Submitted"] = "auto-generated"
    letter.set_content(mail.text)
    return letter


@contextmanager
def _connected(server: Server, password: str) -> Iterator[smtplib.SMTP]:
    if server.scheme == "smtps":
        context = ssl.create_default_context()
        connection: smtplib.SMTP = smtplib.SMTP_SSL(
            server.host, server.port, timeout=TIMEOUT_S, context=context
        )
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=TIMEOUT_S)
    with connection:
        if server.scheme == "smtp" and not server.is_local:
            connection.starttls(context=ssl.create_default_context())
        if server.login:
            connection.login(server.login, password)
        yield connection


def _said(code: int, words: bytes | str) -> str:
    text = words.decode("utf-8", "replace") if isinstance(words, bytes) else words
    return f"SMTP {code} {text}"
