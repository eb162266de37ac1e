"""What the scanners say, in one form, and the table that is printed."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

HERE: Final = Path(__file__).parent
LEVELS: Final = ("info", "low", "medium", "high")


@dataclass(frozen=True)
class Finding:
    """One thing that a scanner does not like."""

    tool: str
    level: str
    rule: str
    place: str
    text: str = ""

    @property
    def is_above_low(self) -> bool:
        """Say whether it must be mended, or accepted with a reason."""
        return LEVELS.index(self.level) > LEVELS.index("low")


@dataclass(frozen=True)
class Report:
    """The result of one scanner: what it looked at and what it found."""

    tool: str
    looked_at: str
    findings: tuple[Finding, ...]
    seconds: float = 0.0
    #: Why it did not run to its end; such a run is never a success.
    trouble: str = ""


def accepted() -> dict[tuple[str, str, str], str]:
    """Read what people have looked at and left, each with its reason."""
    listed = tomllib.loads((HERE / "accepted.toml").read_text(encoding="utf-8"))["accepted"]
    return {(row["tool"], row["rule"], row["place"]): row["reason"] for row in listed}


def open_findings(reports: Iterable[Report]) -> list[Finding]:
    """Return what is above low and not accepted."""
    known = accepted()
    return [
        one
        for report in reports
        for one in report.findings
        if one.is_above_low and (one.tool, one.rule, one.place.partition(":")[0]) not in known
    ]


def table(reports: Iterable[Report]) -> str:
    """Write one line a scanner."""
    known = accepted()
    lines = [
        "| scanner | looked at | high | medium | low | info | accepted | open above low | s |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for report in reports:
        counts = [sum(one.level == level for one in report.findings) for level in LEVELS[::-1]]
        left = len(open_findings([report]))
        held = sum(
            one.is_above_low and (one.tool, one.rule, one.place.partition(":")[0]) in known
            for one in report.findings
        )
        end = report.trouble or str(left)
        columns = [report.tool, report.looked_at, *map(str, counts), str(held), end,
                   f"{report.seconds:.0f}"]  # fmt: skip
        lines.append(f"| {' | '.join(columns)} |")
    return "\n".join(lines)
