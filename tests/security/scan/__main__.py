"""Run the scanners and print one table; ends with 1 where anything above low is open.

Everything takes hours on two cores. Each part that ends is kept under var/scan-out/parts, so a
scan may be run in pieces.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import venv
from collections.abc import Callable, Iterator
from functools import partial

from app.config import ROOT
from tests.security.scan import kept, running, still
from tests.security.scan.city import Scanned, city, server_errors
from tests.security.scan.findings import HERE, Finding, Report, open_findings, table

ROLES = ("commander", "dispatcher", "planner", "registrar", "security_admin")
#: wapiti begins where each of them works.
CRAWLERS = (None, "commander", "dispatcher", "handler", "worker", "planner")
#: Addresses of one part of sqlmap: a few minutes each.
SQLMAP_PARTS = 8

Part = Callable[[], Report]


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


def source_parts() -> Iterator[tuple[str, Part]]:
    """Yield what reads the source."""
    yield "bandit", still.bandit
    yield "semgrep", still.semgrep
    yield "detect-secrets", still.secrets
    yield "cyclonedx-py", still.parts_list


def city_parts(made: Callable[[], Scanned], *, is_quick: bool) -> Iterator[tuple[str, Part]]:
    """Yield what asks a running city; it is started when the first of them is."""
    for role in ROLES[:2] if is_quick else ROLES:
        # The first role asks everything at length; the others reach what is theirs.
        examples = 20 if role == ROLES[0] and not is_quick else 10
        yield f"schemathesis ({role})", partial(_schemathesis, made, role, examples)
    for crawler in CRAWLERS[::2] if is_quick else CRAWLERS:
        # A stranger's pages have the longest time for each module: everybody reaches them.
        seconds = 120 if is_quick or crawler else 180
        yield f"wapiti ({crawler or 'stranger'})", partial(_wapiti, made, crawler, seconds)
    parts, level = (1, 1) if is_quick else (SQLMAP_PARTS, 3)
    for number in range(parts):
        name = f"sqlmap {number + 1}/{parts}"
        yield name, partial(_sqlmap, made, name, level, number, parts)


def _schemathesis(made: Callable[[], Scanned], role: str, examples: int) -> Report:
    return running.schemathesis(made(), made().caller(role), examples=examples)


def _wapiti(made: Callable[[], Scanned], role: str | None, seconds: int) -> Report:
    return running.wapiti(made(), made().caller(role) if role else None, seconds=seconds)


def _sqlmap(made: Callable[[], Scanned], name: str, level: int, number: int, parts: int) -> Report:
    others = sorted({one["role"] for one in made().logins} - set(ROLES))
    roles = (*ROLES, *others)
    return running.sqlmap(made(), roles, name=name, level=level, part=number, parts=parts)


def run(wanted: list[str], *, is_still: bool, is_quick: bool) -> list[Report]:
    """Run the parts that are wanted, all where none is named, and keep each as it ends."""
    reports: list[Report] = []

    def do(name: str, part: Part) -> None:
        if wanted and not any(word in name for word in wanted):
            return
        reports.append(still.timed(name, part))
        kept.keep(reports[-1])
        sys.stderr.write(table(reports[-1:]).splitlines()[-1] + "\n")

    for name, part in source_parts():
        do(name, part)
    if is_still:
        return reports
    with city() as made:
        before = len(reports)
        for name, part in city_parts(made, is_quick=is_quick):
            do(name, part)
        if len(reports) > before:
            do(f"the city's log, {', '.join(wanted) or 'all parts'}", partial(_city_log, made))
    return reports


def _city_log(made: Callable[[], Scanned]) -> Report:
    """Read which requests failed while the city was asked, and whether it still answers."""
    broken = tuple(Finding("the city's log", "high", "failure", one) for one in server_errors())
    end = "" if running.is_up(made()) else "does not answer any more"
    return Report("the city's log", "all of the above", broken, trouble=end)


def main(words: list[str]) -> int:
    """Run what was asked for."""
    asked = argparse.ArgumentParser(prog="python -m tests.security.scan", description=__doc__)
    asked.add_argument("--still", action="store_true", help="only what reads the source: minutes")
    asked.add_argument("--quick", action="store_true", help="everything, shorter")
    asked.add_argument("--only", action="append", default=[], metavar="WORD",
                       help="the parts whose name holds the word, as often as wanted")  # fmt: skip
    asked.add_argument("--table", action="store_true", help="what ran last, part by part")
    way = asked.parse_args(words)
    if way.table:
        reports = kept.all_kept()
    else:
        install()
        reports = run(way.only, is_still=way.still, is_quick=way.quick)
    sys.stdout.write(table(reports) + "\n")
    left = open_findings(reports)
    for one in left:
        sys.stdout.write(f"{one.tool}: {one.level}: {one.rule}: {one.place} {one.text}\n")
    return 1 if left or any(report.trouble for report in reports) else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
