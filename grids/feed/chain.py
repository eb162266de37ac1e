"""One link of the chain: how an entry is hashed, the same for sealing and verifying."""

from __future__ import annotations

import hashlib
from uuid import UUID

from psycopg import sql

GENESIS = b""

#: A digest of the whole event, private parts included, so that a change of the log shows.
#: Reads UTC from the connection: timestamps in JSON follow its time zone.
EVENT_DIGEST = sql.SQL(
    "encode(sha256(convert_to(jsonb_build_array(e.id, e.incident_id, e.seq, e.recorded_at,"
    " e.action, e.from_status, e.to_status, e.actor_id, e.role, e.department_code, e.area_code,"
    " e.device_at, e.device, e.reason, e.note, ST_AsBinary(e.geom), e.photos, e.data)::text,"
    " 'UTF8')), 'hex')"
)


def link_hash(
    before: bytes,
    *,
    no: int,
    incident_id: UUID,
    seq: int,
    area_code: str,
    department_code: str | None,
    payload: str,
) -> bytes:
    """Hash one entry together with the hash before it. `payload` is the text of its jsonb."""
    head = f"{no}\n{incident_id}\n{seq}\n{area_code}\n{department_code or ''}\n"
    return hashlib.sha256(before + head.encode() + payload.encode()).digest()
