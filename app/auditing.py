"""What commands do with the audit log of an installation."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import psycopg

from app.config import Settings, as_role
from app.keys import ring_of, signer_of
from grids import audit, feed


@dataclass(frozen=True)
class Outcome:
    """What a verification says to its reader."""

    lines: tuple[str, ...]
    is_whole: bool


def notary_of(settings: Settings) -> feed.Notary:
    """Say how this installation seals its audit log."""
    return feed.Notary(
        algorithm=audit.algorithm_of(ring_of(settings).ring().provider),
        limit_s=settings.audit_limit_s,
        heads_dir=settings.heads_dir,
        signer=signer_of(settings),
        zone=settings.city_zone,
    )


def verify(
    settings: Settings,
    *,
    url: str | None,
    heads_dir: Path,
    from_at: datetime | None = None,
    to_at: datetime | None = None,
) -> Outcome:
    """Verify the audit log, its heads and the feed of case events, with the auditor's rights."""
    signer = signer_of(settings)
    files = list(audit.read_heads(heads_dir, signer)) if heads_dir.is_dir() else []
    zone = ZoneInfo(settings.city_zone)
    with psycopg.connect(plain(url or auditor_url(settings)), autocommit=True) as conn:
        found = audit.verify(conn, heads=files, from_at=from_at, to_at=to_at)
        broken = feed.verify_chain(conn)
        feed_fault = audit.feed_fits(conn, files)
    lines = list(_lines(found, zone))
    if broken is not None:
        lines.append(f"FEED: entry {broken.no}: {broken.problem}")
    elif feed_fault is not None:
        lines.append(
            f"FEED: entry {feed_fault.position}: {feed_fault.problem} (head {feed_fault.head})"
        )
    else:
        lines.append("feed of case events: whole")
    return Outcome(tuple(lines), found.finding is None and broken is None and feed_fault is None)


def _lines(found: audit.Verified, zone: ZoneInfo) -> Iterator[str]:
    """Say what was walked and what was found, the first bad row by its number and time."""
    yield f"audit log: {found.events} rows in {found.links} links, {found.heads} heads met"
    if found.retired:
        yield f"{found.retired} rows are of months that were retired"
    fault = found.finding
    if fault is None:
        yield "audit log: whole"
        return
    row = f"row {fault.id}" if fault.id is not None else "a row whose number is not known"
    at = f" at {fault.at.astimezone(zone).isoformat()}" if fault.at else ""
    more = f", link {fault.link}" if fault.link is not None else ""
    more += f", head {fault.head}" if fault.head else ""
    yield f"AUDIT LOG BROKEN: {fault.problem}: {row}{at} (sealed row no. {fault.position}{more})"


def sign_head(settings: Settings, folder: Path) -> Path:
    """Sign the present head and write it into a folder."""
    now = datetime.now(ZoneInfo(settings.city_zone)).replace(microsecond=0)
    with psycopg.connect(plain(settings.worker_url), autocommit=True) as conn:
        return audit.export_head(
            conn, folder, signer_of(settings), kind="asked", day=now.date(), now=now
        )


def retire(settings: Settings, *, before: date, now: datetime) -> list[audit.Retired]:
    """Detach months whose time of keeping is over, as the owner."""
    with psycopg.connect(plain(settings.owner_url), autocommit=True) as conn:
        return audit.retire(conn, before=before, now=now)


def auditor_url(settings: Settings) -> str:
    """Write the address for the role that may read the logs and nothing else."""
    return as_role(settings.admin_url, "wangge_auditor", settings.passwords()["wangge_auditor"])


def plain(url: str) -> str:
    """Write an address as the driver wants it."""
    return url.replace("postgresql+psycopg://", "postgresql://")
