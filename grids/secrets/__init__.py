"""Encrypted columns, blind indexes, signatures and the ring of their keys."""

import hashlib

from grids.secrets.providers import BY_ALGORITHM, PROVIDERS, Provider
from grids.secrets.ring import KeyRing, KeySet, RingFile, RingRefused, fixed_ring, given_keys
from grids.secrets.signing import Signer, SignerMissing, verify_with
from grids.secrets.vault import Mark, SealBroken, Vault, mark_of

__all__ = [
    "BY_ALGORITHM",
    "PROVIDERS",
    "KeyRing",
    "KeySet",
    "Mark",
    "Provider",
    "RingFile",
    "RingRefused",
    "SealBroken",
    "Signer",
    "SignerMissing",
    "Vault",
    "fixed_ring",
    "given_keys",
    "mark_of",
    "normal_id_number",
    "normal_phone",
    "token_hash",
    "verify_with",
]


def token_hash(token: str) -> bytes:
    """Hash a random token of at least 128 bits for storage (sessions, tracking codes)."""
    return hashlib.sha256(token.encode()).digest()


def normal_phone(text: str) -> str:
    """Bring a phone number to the form that is indexed: digits, without the country code."""
    digits = "".join(ch for ch in text if ch.isdigit())
    return digits[2:] if len(digits) == 13 and digits.startswith("86") else digits


def normal_id_number(text: str) -> str:
    """Bring a resident number (GB 11643) to the form that is indexed: digits and a capital X."""
    return "".join(ch for ch in text.upper() if ch.isdigit() or ch == "X")
