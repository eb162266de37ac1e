"""One link of the chain: how events are hashed, the same for sealing and verifying."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime, timedelta
from functools import cache, partial
from typing import Any, Final

from psycopg import sql

GENESIS: Final = b""
#: Rows of a link at most; one second's rows where they are fewer.
LINK_ROWS: Final = 1_000
#: xid, id, microseconds since 1970, digest.
ENTRY: Final = struct.Struct(">QQq32s")
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

#: An event as the text that is hashed; UTC is set on the connection. All columns are in it.
EVENT_TEXT: Final = sql.SQL(
    "jsonb_build_array(e.at, e.id, e.xid::text, e.actor_id, e.action, e.subject, e.is_success,"
    " e.source_ip, e.detail)::text"
)


def instant(at_us: int) -> datetime:
    """Turn microseconds since 1970 into an instant."""
    return _EPOCH + timedelta(microseconds=at_us)


def form_of(algorithm: str) -> str:
    """Name how links are hashed: the algorithm and the version of what goes into it."""
    return f"{algorithm}/1"


@cache
def _hash_of(form: str) -> Callable[[bytes], Any]:
    """Return the constructor of a form's hash; asking OpenSSL for it takes as long as hashing."""
    return partial(hashlib.new, form.partition("/")[0])


def digest(form: str, text: str) -> bytes:
    """Hash the text of one event."""
    return bytes(_hash_of(form)(text.encode()).digest())


def packed(rows: Iterable[tuple[int, int, int, bytes]]) -> bytes:
    """Write the entries of a link."""
    return b"".join(ENTRY.pack(*row) for row in rows)


def unpacked(entries: bytes) -> Iterator[tuple[int, int, int, bytes]]:
    """Read the entries of a link; what is left over at the end is no entry and is left out."""
    return ENTRY.iter_unpack(entries[: len(entries) - len(entries) % ENTRY.size])


def link_hash(
    form: str, before: bytes, *, no: int, sealed_at: datetime, events: int, entries: bytes
) -> bytes:
    """Hash one link together with the hash before it."""
    at = round((sealed_at - _EPOCH) / timedelta(microseconds=1))
    head = f"{form}\n{no}\n{at}\n{events}\n{len(before)}\n".encode()
    return bytes(_hash_of(form)(head + before + entries).digest())
