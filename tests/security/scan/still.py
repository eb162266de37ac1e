"""Scanners that read the source: bandit, semgrep with the house's own rules, secrets, SBOM."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from app.config import ROOT
from tests.security.scan.findings import Finding, Report

TOOLS: Final = ROOT / "var" / "scan" / "bin"
OUT: Final = ROOT / "var" / "scan-out"
SOURCES: Final = ("app", "grids", "gis")
#: Words that look like a secret and are none: names of keys, examples, passwords of tests.
HARMLESS: Final = re.compile(
    r"(?i)correct horse|example|none\b|placeholder|secret_key|data_key|index_key|test|sha256|\*\*\*"
)


def run(name: str, *arguments: str, **more: Any) -> subprocess.CompletedProcess[str]:
    """Run a scanner of the venv."""
    return subprocess.run(
        [str(TOOLS / name), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        **more,
    )


def timed(name: str, scan: Callable[[], Report]) -> Report:
    """Run a scan and keep how long it took; one that breaks is told, never passed over."""
    started = time.monotonic()
    try:
        made = scan()
    except (
        OSError,
        ValueError,
        KeyError,
        RuntimeError,
        SyntaxError,
        subprocess.SubprocessError,
    ) as error:
        made = Report("", "", (), trouble=f"did not run: {type(error).__name__} {error}"[:120])
    return Report(name, made.looked_at, made.findings, time.monotonic() - started, made.trouble)


def bandit() -> Report:
    """Look for what is dangerous in Python."""
    done = run("bandit", "-q", "-r", *SOURCES, "-f", "json")
    found = json.loads(done.stdout[done.stdout.index("{") :])
    findings = tuple(
        Finding("bandit", row["issue_severity"].lower(), row["test_id"],
                f"{row['filename'].removeprefix('./')}:{row['line_number']}", row["issue_text"])
        for row in found["results"]
    )  # fmt: skip
    return Report("bandit", f"{found['metrics']['_totals']['loc']} lines", findings)


def semgrep() -> Report:
    """Hold the source to the rules in tests/security/rules; nothing is fetched."""
    done = run(
        "semgrep", "scan", "--config", "tests/security/rules", "--metrics", "off",
        "--disable-version-check", "--json", "--quiet", "--no-git-ignore",
        *SOURCES, "static/src",
    )  # fmt: skip
    found = json.loads(done.stdout)
    findings = tuple(
        Finding("semgrep", "high" if row["extra"]["severity"] == "ERROR" else "low",
                row["check_id"].rpartition(".")[2], f"{row['path']}:{row['start']['line']}",
                row["extra"]["message"])
        for row in found["results"]
    )  # fmt: skip
    broken = [one["message"] for one in found["errors"] if "config" in one.get("message", "")]
    return Report("semgrep", f"{len(found['paths']['scanned'])} files", findings,
                  trouble="; ".join(broken)[:100])  # fmt: skip


def secrets() -> Report:
    """Look for keys and passwords in what git holds."""
    listed = subprocess.run(
        ["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    names = [
        name for name in listed.stdout.splitlines()
        if not name.endswith((".lock", ".png", ".svg", "package-lock.json", ".csv", ".gz", ".txt"))
    ]  # fmt: skip
    done = run("detect-secrets", "scan", r"--exclude-lines=--hash=|integrity|sha256", *names)
    found = json.loads(done.stdout)["results"]
    findings = []
    for name, rows in found.items():
        lines = (ROOT / name).read_text(errors="replace").splitlines()
        for row in rows:
            line = lines[row["line_number"] - 1] if row["line_number"] <= len(lines) else ""
            is_harmless = name.startswith(("tests/", "bench/")) or HARMLESS.search(line)
            level = "info" if is_harmless else "high"
            findings.append(
                Finding("detect-secrets", level, row["type"], f"{name}:{row['line_number']}")
            )
    return Report("detect-secrets", f"{len(names)} files", tuple(findings))


def parts_list() -> Report:
    """Write the list of parts (SBOM, CycloneDX) of the locked requirements."""
    OUT.mkdir(parents=True, exist_ok=True)
    target = OUT / "sbom.cdx.json"
    done = run(
        "cyclonedx-py", "requirements", "requirements.lock", "--of", "JSON", "-o", str(target)
    )
    if done.returncode:
        return Report("cyclonedx-py", "", (), trouble=done.stderr.strip()[-100:])
    made = json.loads(Path(target).read_text())
    without = tuple(
        Finding("cyclonedx-py", "medium", "no-hash", part["name"])
        for part in made["components"]
        if not any(one.get("hashes") for one in part.get("externalReferences", []))
    )
    return Report("cyclonedx-py", f"{len(made['components'])} parts", without)
