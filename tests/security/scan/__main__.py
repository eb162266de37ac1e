"""Run the scanners and print one table; ends with 1 where anything above low is open.

`python -m tests.security.scan`           everything, about half an hour on two cores
`python -m tests.security.scan --still`   only what reads the source, about two minutes
`python -m tests.security.scan --quick`   everything, shorter
"""

from __future__ import annotations

import subprocess
import sys
import venv
from functools import partial

from app.config import ROOT
from tests.security.scan import running, still
from tests.security.scan.city import city, server_errors
from tests.security.scan.findings import HERE, Finding, Report, open_findings, table

ROLES = ("commander", "dispatcher", "planner", "registrar", "security_admin")


def install() -> None:
    """Make the scanners' own venv under var/, once; the platform's is left as it is."""
    if (still.TOOLS / "semgrep").exists():
        return
    folder = still.TOOLS.parent
    venv.create(folder, with_pip=True)
    subprocess.run(
        [str(still.TOOLS / "python"), "-m", "pip", "install", "-q", "-r", str(HERE / "requirements.txt")],
        check=True, cwd=ROOT,
    )  # fmt: skip


def scan_source() -> list[Report]:
    """Read the source."""
    return [
        still.timed(one) for one in (still.bandit, still.semgrep, still.secrets, still.parts_list)
    ]


def scan_city(*, is_quick: bool) -> list[Report]:
    """Ask a running city as several roles."""
    reports: list[Report] = []

    def do(name: str, scan: partial[Report]) -> None:
        scan_named = scan
        scan_named.__name__ = name  # type: ignore[attr-defined]
        reports.append(still.timed(scan_named))
        sys.stderr.write(table(reports[-1:]).splitlines()[-1] + "\n")

    with city() as made:
        for role in ROLES[:2] if is_quick else ROLES:
            examples = 10 if is_quick else 40
            do(f"schemathesis ({role})",
               partial(running.schemathesis, made, made.caller(role), examples=examples))  # fmt: skip
        seconds = 120 if is_quick else 300
        do("wapiti (stranger)", partial(running.wapiti, made, None, seconds=seconds))
        for role in ("dispatcher",) if is_quick else ("commander", "dispatcher", "planner"):
            do(
                f"wapiti ({role})",
                partial(running.wapiti, made, made.caller(role), seconds=seconds),
            )
        level, most = (1, 12) if is_quick else (3, 60)
        do(
            "sqlmap",
            partial(running.sqlmap, made, made.caller("commander"), level=level, most=most),
        )
        broken = tuple(
            Finding("the city's log", "high", "failure", one) for one in server_errors(0)
        )
        end = "" if running.is_up(made) else "does not answer any more"
        reports.append(Report("the city's log", "all of the above", broken, trouble=end))
    return reports


def main() -> int:
    """Run what was asked for."""
    install()
    reports = scan_source()
    if "--still" not in sys.argv:
        reports += scan_city(is_quick="--quick" in sys.argv)
    sys.stdout.write(table(reports) + "\n")
    left = open_findings(reports)
    for one in left:
        sys.stdout.write(f"{one.tool}: {one.level}: {one.rule}: {one.place} {one.text}\n")
    return 1 if left or any(report.trouble for report in reports) else 0


if __name__ == "__main__":
    raise SystemExit(main())
