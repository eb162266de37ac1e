"""Signatures: Ed25519 (`intl`) and SM2 with SM3 (`gm`), by keys of the ring.

A signature is `algorithm (1 byte) | key id (1) | 64 bytes`. Public keys are exported with the
same two bytes, so that who verifies needs nothing of the installation.
"""

from __future__ import annotations

import base64
import importlib.util
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from grids.errors import GridsError
from grids.secrets.ring import KeyRing, RingFile, ring_source

SIGNATURE_BYTES: Final = 64
#: Order of the curve of SM2 (GB/T 32918.5).
SM2_ORDER: Final = 0xFFFFFFFEFFFFFFFFFFFFFFFFFFFFFFFF7203DF6B21C6052B53BBF40939D54123


class SignerMissing(GridsError):
    """SM2 signatures need the optional package: install the extra `sm2`."""

    code = "secrets.sm2_missing"


@dataclass(frozen=True)
class Scheme:
    """One way to sign; `algorithm` is the first byte of its signatures and public keys."""

    name: str
    algorithm: int
    public: Callable[[bytes], bytes]  #: private key -> public key
    sign: Callable[[bytes, bytes], bytes]  #: private key, data -> 64 bytes
    is_good: Callable[[bytes, bytes, bytes], bool]  #: public key, data, signature


def _ed25519_public(private: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()


def _ed25519_sign(private: bytes, data: bytes) -> bytes:
    return Ed25519PrivateKey.from_private_bytes(private).sign(data)


def _ed25519_is_good(public: bytes, data: bytes, signature: bytes) -> bool:
    try:
        Ed25519PublicKey.from_public_bytes(public).verify(signature, data)
    except (InvalidSignature, ValueError):
        return False
    return True


def sm2_public(private: bytes) -> bytes:
    """Return the point of a private key, x and y."""
    sm2 = _sm2()
    curve = sm2.CryptSM2(private_key="", public_key="")
    return bytes.fromhex(curve._kg(int.from_bytes(private), sm2.default_ecc_table["g"]))  # noqa: SLF001 - it has no public one


def sm2_sign(private: bytes, data: bytes, nonce: int | None = None) -> bytes:
    """Sign by SM2 with SM3 and the usual identity; `nonce` is for published examples only."""
    signer = _sm2_with(sm2_public(private))
    signer.private_key = private.hex()
    while True:
        number = nonce or 1 + secrets.randbelow(SM2_ORDER - 1)
        made = signer.sign_with_sm3(data, f"{number:064x}")
        if made is not None or nonce:
            return bytes.fromhex(made)


def sm2_is_good(public: bytes, data: bytes, signature: bytes) -> bool:
    """Say whether a signature by SM2 with SM3 is that of the public key."""
    r, s = int.from_bytes(signature[:32]), int.from_bytes(signature[32:])
    if len(signature) != SIGNATURE_BYTES or not (0 < r < SM2_ORDER and 0 < s < SM2_ORDER):
        return False
    return bool(_sm2_with(public).verify_with_sm3(signature.hex(), data))


def _sm2_with(public: bytes) -> Any:
    signer = _sm2().CryptSM2(private_key="", public_key="")
    # Set afterwards: the constructor takes a leading 04 of the point itself for a prefix.
    signer.public_key = public.hex()
    return signer


@cache
def _sm2() -> Any:
    """Import the optional package, once."""
    try:
        from gmssl import sm2
    except ImportError as error:
        raise SignerMissing("SM2 signatures need the package gmssl (extra sm2)") from error
    return sm2


SCHEMES: Final = {
    "intl": Scheme("ed25519", 1, _ed25519_public, _ed25519_sign, _ed25519_is_good),
    "gm": Scheme("sm2", 2, sm2_public, sm2_sign, sm2_is_good),
}
BY_ALGORITHM: Final = {scheme.algorithm: scheme for scheme in SCHEMES.values()}


class Signer:
    """Signs with the current signing key of a ring and verifies with any key of it."""

    def __init__(self, ring: KeyRing | RingFile) -> None:
        self._source = ring_source(ring)
        self._private: dict[tuple[int, bytes], bytes] = {}

    def sign(self, data: bytes) -> bytes:
        """Sign with the current key under the ring's suite."""
        ring = self._source()
        scheme, key_id = SCHEMES[ring.provider], ring.signing.current
        return bytes((scheme.algorithm, key_id)) + scheme.sign(
            self._key(scheme, ring.signing.keys[key_id]), data
        )

    def verify(self, data: bytes, signature: bytes) -> bool:
        """Say whether one of the ring's keys made this signature of exactly these bytes."""
        if len(signature) != 2 + SIGNATURE_BYTES:
            return False
        scheme = BY_ALGORITHM.get(signature[0])
        secret = self._source().signing.keys.get(signature[1])
        if scheme is None or secret is None:
            return False
        public = scheme.public(self._key(scheme, secret))
        return scheme.is_good(public, data, signature[2:])

    def public_keys(self) -> dict[str, str]:
        """Return every public key by `scheme:key id`, in base64: all that a verifier needs."""
        ring = self._source()
        schemes = [s for name, s in SCHEMES.items() if name == ring.provider or _is_there(name)]
        return {
            f"{scheme.name}:{key_id}": base64.b64encode(
                scheme.public(self._key(scheme, secret))
            ).decode()
            for scheme in schemes
            for key_id, secret in sorted(ring.signing.keys.items())
        }

    def _key(self, scheme: Scheme, secret: bytes) -> bytes:
        place = (scheme.algorithm, secret)
        if place not in self._private:
            self._private[place] = _private_key(scheme.algorithm, secret)
        return self._private[place]


def verify_with(public_keys: Mapping[str, str], data: bytes, signature: bytes) -> bool:
    """Verify with exported public keys alone, on a machine that holds no secret."""
    scheme = BY_ALGORITHM.get(signature[0]) if len(signature) == 2 + SIGNATURE_BYTES else None
    if scheme is None:
        return False
    public = public_keys.get(f"{scheme.name}:{signature[1]}")
    return public is not None and scheme.is_good(base64.b64decode(public), data, signature[2:])


def _is_there(name: str) -> bool:
    return name != "gm" or importlib.util.find_spec("gmssl") is not None


def _private_key(algorithm: int, secret: bytes) -> bytes:
    """Derive the private key of a suite from a secret of the ring."""
    info = f"wangge signing key {algorithm}".encode()
    # 48 bytes, so that the remainder below is spread evenly over the order of the curve.
    drawn = HKDF(hashes.SHA256(), 48, salt=None, info=info).derive(secret)
    if algorithm == SCHEMES["intl"].algorithm:
        return drawn[:32]
    return (1 + int.from_bytes(drawn) % (SM2_ORDER - 2)).to_bytes(32)
