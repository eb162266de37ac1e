"""The key ring of an installation, from its settings and its file of secrets."""

from app.config import Settings
from grids.secrets import KeySet, RingFile, Signer, Vault, given_keys


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
    )


def vault_of(settings: Settings) -> Vault:
    """Return what seals and opens encrypted columns."""
    return Vault(ring_of(settings))


def signer_of(settings: Settings) -> Signer:
    """Return what signs heads of the audit log and certificates."""
    return Signer(ring_of(settings))
