"""Rate limits that all processes share: counts per bucket and hour, kept in PostgreSQL."""

from __future__ import annotations

import ipaddress
from datetime import datetime

from sqlalchemy import delete, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from grids.db import Base
from grids.errors import GridsError


class RateCount(Base):
    """How often a bucket was used in an hour; unlogged, a crash may forget it."""

    __tablename__ = "rate_count"
    __table_args__ = ({"prefixes": ["UNLOGGED"]},)
    __level__ = "L2"

    bucket: Mapped[str] = mapped_column(primary_key=True)
    hour: Mapped[datetime] = mapped_column(primary_key=True)
    count: Mapped[int]


class TooMany(GridsError):
    """The same source asks too often; wait and try again."""

    code = "too_many"


COUNT = text(
    "INSERT INTO rate_count (bucket, hour, count) VALUES (:bucket, :hour, :by)"
    " ON CONFLICT (bucket, hour) DO UPDATE SET count = rate_count.count + :by RETURNING count"
)


def count_use(session: Session, bucket: str, *, most: int, now: datetime, by: int = 1) -> None:
    """Count a use of a bucket, of one or of so much. Raises `TooMany` above `most` in an hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    used = session.scalar(COUNT, {"bucket": bucket, "hour": hour, "by": by})
    if used is not None and used > most:
        raise TooMany(f"more than {most} in an hour", most=most)


def uses(session: Session, bucket: str, *, now: datetime) -> int:
    """Return how often a bucket was used in the running hour."""
    hour = now.replace(minute=0, second=0, microsecond=0)
    kept = session.get(RateCount, (bucket, hour))
    return kept.count if kept else 0


def source_of(address: str) -> str:
    """Return what a source is counted by: the address, for IPv6 the network of one customer.

    >>> source_of("::ffff:10.1.2.3"), source_of("2001:db8:1:2:3::4")
    ('10.1.2.3', '2001:db8:1:2::/64')
    """
    try:
        ip = ipaddress.ip_address(address)
    except ValueError:
        return address[:64]
    if isinstance(ip, ipaddress.IPv6Address):
        return str(ip.ipv4_mapped or ipaddress.ip_network((ip, 64), strict=False))
    return str(ip)


def forget_before(session: Session, hour: datetime) -> None:
    """Drop counts of past hours."""
    session.execute(delete(RateCount).where(RateCount.hour < hour))
