"""The two suites of algorithms: `intl` (AES-256-GCM, HMAC-SHA-256) and `gm` (SM4-GCM, HMAC-SM3)."""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Final

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives import hmac as crypto_hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

NONCE_BYTES: Final = 12
TAG_BYTES: Final = 16


@dataclass(frozen=True)
class Provider:
    """One suite of algorithms; `algorithm` is the first byte of all that it makes."""

    name: str
    algorithm: int
    key_bytes: int
    encrypt: Callable[[bytes, bytes, bytes, bytes], bytes]  #: key, nonce, text, additional data
    decrypt: Callable[[bytes, bytes, bytes, bytes], bytes]
    digest: Callable[[bytes, bytes], bytes]  #: key, text -> keyed digest

    def derive(self, secret: bytes) -> bytes:
        """Derive the column key of this suite from a secret (HKDF, RFC 5869).

        SHA-256 for both suites: values that the first release sealed must open.
        """
        info = f"wangge column key {self.algorithm}".encode()
        return HKDF(hashes.SHA256(), self.key_bytes, salt=None, info=info).derive(secret)


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


PROVIDERS: Final = {
    provider.name: provider
    for provider in (
        Provider("intl", 1, 32, _aes_encrypt, _aes_decrypt,
                 partial(hmac.digest, digest="sha256")),
        Provider("gm", 2, 16, _sm4_encrypt, _sm4_decrypt, _hmac_sm3),
    )
}  # fmt: skip
BY_ALGORITHM: Final = {provider.algorithm: provider for provider in PROVIDERS.values()}
