"""Keys under a key: the ring wrapped by a master key that never lies beside it."""

from __future__ import annotations

import base64
import os
from typing import Final

from cryptography.exceptions import InvalidTag

from grids.errors import GridsError
from grids.secrets.providers import BY_ALGORITHM, NONCE_BYTES, PROVIDERS

#: Marks a key of the ring that is wrapped.
WRAPPED: Final = "wrapped:"


class MasterKeyWrong(GridsError):
    """The keys of the ring are wrapped, and the master key is missing or another one."""

    code = "secrets.master_key_wrong"


def encoded(key: bytes) -> str:
    """Write a key as text."""
    return base64.b64encode(key).decode()


def wrapped(master: bytes, place: str, text: str, suite: str) -> str:
    """Wrap a key of the ring for exactly this kind and id."""
    provider = PROVIDERS[suite]
    nonce = os.urandom(NONCE_BYTES)
    key = provider.derive(b"wrap" + master)
    sealed = provider.encrypt(key, nonce, base64.b64decode(text), place.encode())
    return WRAPPED + encoded(bytes([provider.algorithm]) + nonce + sealed)


def unwrapped(master: bytes, place: str, text: str) -> bytes:
    """Return a key of the ring, wrapped or not. Raises `MasterKeyWrong`."""
    if not text.startswith(WRAPPED):
        return base64.b64decode(text)
    raw = base64.b64decode(text.removeprefix(WRAPPED))
    provider = BY_ALGORITHM[raw[0]]
    nonce, sealed = raw[1 : 1 + NONCE_BYTES], raw[1 + NONCE_BYTES :]
    try:
        if not master:
            raise MasterKeyWrong("the keys are wrapped: set WANGGE_MASTER_KEY_FILE")
        return provider.decrypt(provider.derive(b"wrap" + master), nonce, sealed, place.encode())
    except InvalidTag as error:
        raise MasterKeyWrong("the master key is not the one that wrapped the keys") from error
