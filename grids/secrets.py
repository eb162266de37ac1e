"""Encrypted columns and blind indexes.

A sealed value is `algorithm (1 byte) | key id (1) | nonce (12) | ciphertext and tag`. The
additional data is table, row and column, so that a ciphertext moved to another row or column
does not open. Providers: `intl` (AES-256-GCM, HMAC-SHA-256) and `gm` (SM4-GCM, HMAC-SM3).
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import hmac as crypto_hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from grids.errors import GridsError

NONCE_BYTES = 12
TAG_BYTES = 16


class SealBroken(GridsError):
    """A sealed value does not open: wrong key, changed, or moved from another row."""

    code = "secrets.seal_broken"


@dataclass(frozen=True)
class Provider:
    """One suite of algorithms; `algorithm` is the first byte of what it seals."""

    algorithm: int
    key_bytes: int
    encrypt: Callable[[bytes, bytes, bytes, bytes], bytes]  #: key, nonce, text, additional data
    decrypt: Callable[[bytes, bytes, bytes, bytes], bytes]
    digest: Callable[[bytes, bytes], bytes]  #: key, text -> keyed digest


def _aes_encrypt(key: bytes, nonce: bytes, text: bytes, extra: bytes) -> bytes:
    return AESGCM(key).encrypt(nonce, text, extra)


def _aes_decrypt(key: bytes, nonce: bytes, sealed: bytes, extra: bytes) -> bytes:
    return AESGCM(key).decrypt(nonce, sealed, extra)


def _sm4_encrypt(key: bytes, nonce: bytes, text: bytes, extra: bytes) -> bytes:
    encryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce)).encryptor()
    encryptor.authenticate_additional_data(extra)
    return encryptor.update(text) + encryptor.finalize() + encryptor.tag


def _sm4_decrypt(key: bytes, nonce: bytes, sealed: bytes, extra: bytes) -> bytes:
    text, tag = sealed[:-TAG_BYTES], sealed[-TAG_BYTES:]
    decryptor = Cipher(algorithms.SM4(key), modes.GCM(nonce, tag)).decryptor()
    decryptor.authenticate_additional_data(extra)
    return decryptor.update(text) + decryptor.finalize()


def _hmac_sm3(key: bytes, text: bytes) -> bytes:
    keyed = crypto_hmac.HMAC(key, hashes.SM3())
    keyed.update(text)
    return keyed.finalize()


PROVIDERS = {
    "intl": Provider(1, 32, _aes_encrypt, _aes_decrypt, partial(hmac.digest, digest="sha256")),
    "gm": Provider(2, 16, _sm4_encrypt, _sm4_decrypt, _hmac_sm3),
}
BY_ALGORITHM = {provider.algorithm: provider for provider in PROVIDERS.values()}


class Vault:
    """Seals and opens values of encrypted columns.

    `keys` maps key id (1 to 255) to a secret of at least 32 bytes; the highest id seals, all
    of them open. `index_key` is separate: whoever holds it cannot open anything.
    """

    def __init__(self, keys: dict[int, bytes], index_key: bytes, provider: str = "intl") -> None:
        if not keys or not all(0 < key_id < 256 for key_id in keys):
            raise ValueError("a vault needs keys with ids from 1 to 255")
        self._keys = keys
        self._index_key = index_key
        self._provider = PROVIDERS[provider]
        self._current = max(keys)
        self._derived: dict[tuple[int, int], bytes] = {}

    def seal(self, table: str, row_id: object, column: str, text: str) -> bytes:
        """Encrypt one value for exactly this table, row and column."""
        nonce = os.urandom(NONCE_BYTES)
        provider = self._provider
        key = self._key(provider, self._current)
        sealed = provider.encrypt(key, nonce, text.encode(), _place(table, row_id, column))
        return bytes((provider.algorithm, self._current)) + nonce + sealed

    def seal_many(
        self, table: str, column: str, ids: Iterable[object], texts: Iterable[str]
    ) -> list[bytes]:
        """Encrypt a column of many rows."""
        return [
            self.seal(table, row_id, column, text) for row_id, text in zip(ids, texts, strict=True)
        ]

    def open(self, table: str, row_id: object, column: str, sealed: bytes) -> str:
        """Decrypt one value. Raises `SealBroken` where it was changed or moved."""
        provider = BY_ALGORITHM.get(sealed[0]) if len(sealed) > 2 + NONCE_BYTES else None
        if provider is None or sealed[1] not in self._keys:
            raise SealBroken(f"{table}.{column} of row {row_id}: unknown algorithm or key")
        key = self._key(provider, sealed[1])
        nonce, body = sealed[2 : 2 + NONCE_BYTES], sealed[2 + NONCE_BYTES :]
        try:
            return provider.decrypt(key, nonce, body, _place(table, row_id, column)).decode()
        except InvalidTag as error:
            raise SealBroken(f"{table}.{column} of row {row_id} does not open") from error

    def blind_index(self, table: str, column: str, text: str) -> bytes:
        """Digest a normalised value, so that an equal one can be found without opening any."""
        return self._provider.digest(self._index_key, f"{table}\0{column}\0{text}".encode())

    def _key(self, provider: Provider, key_id: int) -> bytes:
        """Derive the provider's key from the secret, once."""
        place = (provider.algorithm, key_id)
        if place not in self._derived:
            info = f"wangge column key {provider.algorithm}".encode()
            kdf = HKDF(hashes.SHA256(), provider.key_bytes, salt=None, info=info)
            self._derived[place] = kdf.derive(self._keys[key_id])
        return self._derived[place]


def token_hash(token: str) -> bytes:
    """Hash a random token of at least 128 bits for storage (sessions, tracking codes)."""
    return hashlib.sha256(token.encode()).digest()


def normal_phone(text: str) -> str:
    """Bring a phone number to the form that is indexed: digits, without the country code."""
    digits = "".join(ch for ch in text if ch.isdigit())
    return digits[2:] if len(digits) == 13 and digits.startswith("86") else digits


def _place(table: str, row_id: object, column: str) -> bytes:
    return f"{table}|{row_id}|{column}".encode()
