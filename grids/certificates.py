"""Certificates of erasure: which rule removed how much of which period, signed, no personal data."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import LargeBinary
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from grids.db import Base
from grids.secrets import Signer, verify_with


class Certificate(Base):
    """One run of one rule. `body` is what was signed; the ids are in it as a hash only."""

    __tablename__ = "erasure_certificate"
    __level__ = "L2"

    id: Mapped[UUID] = mapped_column(primary_key=True)
    made_at: Mapped[datetime]
    rule: Mapped[str]
    body: Mapped[dict[str, Any]] = mapped_column(JSONB)
    signature: Mapped[bytes] = mapped_column(LargeBinary)


def hash_of_ids(ids: Iterable[object]) -> str:
    """Hash ids, sorted: who holds a list of them can prove that it is the one."""
    return hashlib.sha256("\n".join(sorted(map(str, ids))).encode()).hexdigest()


def certify(
    session: Session,
    signer: Signer,
    rule: str,
    *,
    until: datetime,
    counts: Mapping[str, int],
    ids: Iterable[object],
    now: datetime,
    more: Mapping[str, str] | None = None,
) -> Certificate:
    """Sign and keep that a rule was carried out."""
    key = uuid4()
    body = {
        "id": str(key),
        "rule": rule,
        "until": until.isoformat(),
        "made_at": now.isoformat(),
        "counts": dict(counts),
        "ids_sha256": hash_of_ids(ids),
        **(more or {}),
    }
    made = Certificate(
        id=key, made_at=now, rule=rule, body=body, signature=signer.sign(_signed_bytes(body))
    )
    session.add(made)
    session.flush()
    return made


def write(certificate: Certificate, public_keys: Mapping[str, str], folder: Path) -> Path:
    """Write a certificate as a file that can be verified away from the installation."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    path = folder / f"{certificate.made_at:%Y%m%d}-{certificate.rule}-{certificate.id}.json"
    document = {
        "certificate": certificate.body,
        "signature": base64.b64encode(certificate.signature).decode(),
        "public_keys": dict(public_keys),
    }
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps(document, ensure_ascii=False, indent=1, sort_keys=True))
    draft.replace(path)
    return path


def is_genuine(document: Mapping[str, Any], public_keys: Mapping[str, str]) -> bool:
    """Say whether a written certificate is signed by one of these keys, and unchanged."""
    signature = base64.b64decode(document["signature"])
    return verify_with(public_keys, _signed_bytes(document["certificate"]), signature)


def _signed_bytes(body: Mapping[str, Any]) -> bytes:
    return json.dumps(body, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()
