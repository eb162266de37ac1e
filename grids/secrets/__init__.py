"""Encrypted columns, blind indexes, signatures and the ring of their keys."""

import hashlib

from grids.secrets.columns import (
    SEALED,
    SealedColumn,
    local,
    normal_id_number,
    normal_name,
    normal_phone,
)
from grids.secrets.providers import BY_ALGORITHM, PROVIDERS, Provider
from grids.secrets.ring import (
    KEY_BYTES,
    KeyRing,
    KeySet,
    RingFile,
    RingRefused,
    fixed_ring,
    given_keys,
)
from grids.secrets.signing import Signer, SignerMissing, verify_with
from grids.secrets.vault import Mark, SealBroken, Vault, mark_of
from grids.secrets.wrapping import MasterKeyWrong

__all__ = [
    "BY_ALGORITHM",
    "KEY_BYTES",
    "PROVIDERS",
    "SEALED",
    "KeyRing",
    "KeySet",
    "Mark",
    "MasterKeyWrong",
    "Provider",
    "RingFile",
    "RingRefused",
    "SealBroken",
    "SealedColumn",
    "Signer",
    "SignerMissing",
    "Vault",
    "fixed_ring",
    "given_keys",
    "local",
    "mark_of",
    "normal_id_number",
    "normal_name",
    "normal_phone",
    "token_hash",
    "verify_with",
]


def token_hash(token: str) -> bytes:
    """Hash a random token of at least 128 bits for storage (sessions, tracking codes)."""
    return hashlib.sha256(token.encode()).digest()
