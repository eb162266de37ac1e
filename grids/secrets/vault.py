"""Encrypted columns and blind indexes.

A sealed value is `algorithm (1 byte) | key id (1) | nonce (12) | ciphertext and tag`. The
additional data is table, row and column, so that a ciphertext moved to another row or column
does not open. A blind index is `algorithm (1) | key id (1) | keyed digest (32)`.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cryptography.exceptions import InvalidTag

from grids.errors import GridsError
from grids.secrets.providers import BY_ALGORITHM, NONCE_BYTES, PROVIDERS, Provider
from grids.secrets.ring import KeyRing, RingFile, fixed_ring, ring_source

HEAD_BYTES = 2


class SealBroken(GridsError):
    """A sealed value does not open: wrong key, changed, or moved from another row."""

    code = "secrets.seal_broken"


class Mark(NamedTuple):
    """What a sealed value or a blind index was made with."""

    algorithm: int
    key_id: int


def mark_of(value: bytes) -> Mark:
    """Read what a sealed value or a blind index was made with."""
    return Mark(value[0], value[1])


class Vault:
    """Seals and opens values of encrypted columns.

    Takes the ring of an installation, which it follows when its file changes, or keys that
    stay: key id (1 to 255) to a secret of at least 32 bytes; the highest id seals, all of
    them open. Keys of the blind indexes are separate: who holds them cannot open anything.
    """

    def __init__(
        self,
        ring: KeyRing | RingFile | Mapping[int, bytes],
        index_key: bytes = b"",
        provider: str = "intl",
    ) -> None:
        if isinstance(ring, Mapping):
            ring = fixed_ring(ring, index_key, provider)
        self._source = ring_source(ring)
        self._derived: dict[tuple[Mark, bytes], bytes] = {}

    @property
    def ring(self) -> KeyRing:
        """The ring as it is now."""
        return self._source()

    def data_mark(self) -> Mark:
        """Say what values are sealed with now."""
        ring = self._source()
        return Mark(PROVIDERS[ring.provider].algorithm, ring.data.current)

    def index_mark(self) -> Mark:
        """Say what blind indexes are made with now."""
        ring = self._source()
        return Mark(PROVIDERS[ring.provider].algorithm, ring.index.current)

    def seal(self, table: str, row_id: object, column: str, text: str) -> bytes:
        """Encrypt one value for exactly this table, row and column."""
        ring = self._source()
        provider = PROVIDERS[ring.provider]
        mark = Mark(provider.algorithm, ring.data.current)
        nonce = os.urandom(NONCE_BYTES)
        key = self._key(provider, mark, ring)
        sealed = provider.encrypt(key, nonce, text.encode(), _place(table, row_id, column))
        return bytes(mark) + nonce + sealed

    def seal_many(
        self, table: str, column: str, ids: Iterable[object], texts: Iterable[str]
    ) -> list[bytes]:
        """Encrypt a column of many rows, all with the key that is current at the call."""
        ring = self._source()
        provider = PROVIDERS[ring.provider]
        mark = Mark(provider.algorithm, ring.data.current)
        key, head = self._key(provider, mark, ring), bytes(mark)
        sealed = []
        for row_id, text in zip(ids, texts, strict=True):
            nonce = os.urandom(NONCE_BYTES)
            place = _place(table, row_id, column)
            sealed.append(head + nonce + provider.encrypt(key, nonce, text.encode(), place))
        return sealed

    def open(self, table: str, row_id: object, column: str, sealed: bytes) -> str:
        """Decrypt one value. Raises `SealBroken` where it was changed or moved."""
        ring = self._source()
        provider = BY_ALGORITHM.get(sealed[0]) if len(sealed) > HEAD_BYTES + NONCE_BYTES else None
        if provider is None or sealed[1] not in ring.data.keys:
            raise SealBroken(f"{table}.{column} of row {row_id}: unknown algorithm or key")
        key = self._key(provider, mark_of(sealed), ring)
        nonce, body = (
            sealed[HEAD_BYTES : HEAD_BYTES + NONCE_BYTES],
            sealed[HEAD_BYTES + NONCE_BYTES :],
        )
        try:
            return provider.decrypt(key, nonce, body, _place(table, row_id, column)).decode()
        except (InvalidTag, ValueError) as error:
            raise SealBroken(f"{table}.{column} of row {row_id} does not open") from error

    def blind_index(self, table: str, column: str, text: str) -> bytes:
        """Digest a normalised value with the current key: what a row keeps."""
        ring = self._source()
        return _index(ring, PROVIDERS[ring.provider], ring.index.current, table, column, text)

    def blind_index_many(self, table: str, column: str, texts: Iterable[str]) -> list[bytes]:
        """Digest a column of many rows, all with the key that is current at the call."""
        ring = self._source()
        provider = PROVIDERS[ring.provider]
        return [_index(ring, provider, ring.index.current, table, column, text) for text in texts]

    def blind_indexes(self, table: str, column: str, text: str) -> list[bytes]:
        """Digest a normalised value with every key that rows may still carry: what a search asks.

        While a key or the suite changes, rows of both stand side by side; the few more
        probes of the index cost less than a second column that every writer must fill.
        """
        ring = self._source()
        return [
            _index(ring, provider, key_id, table, column, text)
            for provider in PROVIDERS.values()
            for key_id in ring.index.keys
        ]

    def code(self, purpose: str, text: str) -> bytes:
        """Digest with the key that never rotates: codes that stand on somebody's paper."""
        return hmac.digest(self._source().code_key, f"{purpose}\0{text}".encode(), "sha256")

    def _key(self, provider: Provider, mark: Mark, ring: KeyRing) -> bytes:
        """Derive the provider's key from the secret, once."""
        secret = ring.data.keys[mark.key_id]
        place = (mark, secret)
        if place not in self._derived:
            self._derived[place] = provider.derive(secret)
        return self._derived[place]


def _index(
    ring: KeyRing, provider: Provider, key_id: int, table: str, column: str, text: str
) -> bytes:
    digest = provider.digest(ring.index.keys[key_id], f"{table}\0{column}\0{text}".encode())
    return bytes((provider.algorithm, key_id)) + digest


def _place(table: str, row_id: object, column: str) -> bytes:
    return f"{table}|{row_id}|{column}".encode()
