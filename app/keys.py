"""The key ring of an installation, from its settings and its file of secrets."""

import base64
from pathlib import Path

from app.config import InvalidSetting, Settings
from grids.secrets import KEY_BYTES, KeySet, RingFile, Signer, Vault, given_keys


def ring_of(settings: Settings) -> RingFile:
    """Return the ring; it follows `secrets.json`, but for kinds that settings give."""
    given: dict[str, KeySet] = {
        kind: given_keys(text)
        for kind, text in (
            ("data", settings.data_keys),
            ("index", settings.index_keys),
            ("signing", settings.signing_keys),
        )
        if text
    }
    return RingFile(
        settings.var_dir / "secrets.json",
        first={"data": settings.data_key, "index": settings.index_key},
        code_key=settings.index_key,
        given=given,  # type: ignore[arg-type]
        provider=settings.crypto_provider,
        master=_master(settings),
    )


def _master(settings: Settings) -> bytes:
    """Read the master key, where one is set."""
    if not settings.master_key_file:
        return b""
    try:
        key = base64.b64decode(Path(settings.master_key_file).read_text(), validate=False)
    except (OSError, ValueError) as error:
        raise InvalidSetting("WANGGE_MASTER_KEY_FILE cannot be read") from error
    if len(key) < KEY_BYTES:
        raise InvalidSetting(f"WANGGE_MASTER_KEY_FILE holds less than {KEY_BYTES} bytes")
    return key


def vault_of(settings: Settings) -> Vault:
    """Return what seals and opens encrypted columns."""
    return Vault(ring_of(settings))


def signer_of(settings: Settings) -> Signer:
    """Return what signs heads of the audit log and certificates."""
    return Signer(ring_of(settings))
