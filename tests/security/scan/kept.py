"""What the parts of a scan said last, kept in files: a long scan may be run in pieces."""

from __future__ import annotations

import re

import msgspec

from tests.security.scan.findings import Report
from tests.security.scan.still import OUT

PARTS = OUT / "parts"


def keep(report: Report) -> None:
    """Write what a part said; the same part again takes its place."""
    PARTS.mkdir(parents=True, exist_ok=True)
    name = re.sub(r"[^a-z0-9]+", "-", report.tool.lower()).strip("-")
    (PARTS / f"{name}.json").write_bytes(msgspec.json.encode(report))


def all_kept() -> list[Report]:
    """Read what every part said last."""
    return [
        msgspec.json.decode(path.read_bytes(), type=Report) for path in sorted(PARTS.glob("*.json"))
    ]
