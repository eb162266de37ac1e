"""Scanners that ask the running city: schemathesis, wapiti, sqlmap."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Final
from urllib.parse import urlencode
from xml.etree.ElementTree import Element  # the type only

import defusedxml.ElementTree
import requests

from tests.security.scan.city import Caller, Scanned
from tests.security.scan.findings import Finding, Report
from tests.security.scan.still import OUT, run

#: Addresses that change who is signed in; a scanner that asks them scans a sign-in page after.
ENDS: Final = re.compile(
    r"sign-out|/sessions|/password|/tokens|/factor|/end|/disable|/reset|/unlock"
)
#: All that wapiti can do but asking other machines.
MODULES: Final = (
    "backup,cookieflags,crlf,csp,csrf,exec,file,htaccess,http_headers,methods,permanentxss,"
    "redirect,shellshock,sql,ssti,timesql,upload,xss,xxe"
)
#: Where wapiti begins as a role.
BEGINS: Final = {
    "commander": "/command", "dispatcher": "/command/desk", "handler": "/desk",
    "planner": "/planner", "worker": "/worker/",
}  # fmt: skip
CRS84: Final = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
#: How far a caller comes with an address.
REFUSED, READ, ANSWERED = 0, 1, 2
#: Values that reach a statement; every other parameter of the description is added with `1`.
VALUES: Final = {
    "q": "a", "bbox": "120.0,29.2,120.1,29.3", "lon": "120.05", "lat": "29.3", "limit": "5",
    "area": "339901", "parent": "339901", "code": "339901", "grid": "339901001001001",
    "category": "01002", "size": "thumb", "layer_id": "component", "layer": "component",
    "z": "12", "x": "3413", "y": "1697", "ending": "csv", "format": "csv", "photo_id": "1",
    "state": "on", "from": "2026-01-01", "to": "2026-12-31", "theme": "incidents", "days": "30",
    "status": "open", "stage": "handling", "risk": "late", "reason": "report", "next": "/account",
    "bbox-crs": CRS84, "crs": CRS84,
    "department": "D01", "period": "2026-06-30", "view": "table", "columns": "code",
}  # fmt: skip


def schemathesis(made: Scanned, caller: Caller, *, examples: int) -> Report:
    """Send what the description allows and what it forbids; nothing may end above 499."""
    OUT.mkdir(parents=True, exist_ok=True)
    target = OUT / f"schemathesis-{caller.role}.xml"
    done = run(
        "schemathesis", "run", f"{made.url}/api/openapi.json", "--url", made.url,
        "--header", f"Cookie: {caller.cookie}", "--header", f"X-CSRF-Token: {caller.csrf}",
        "--checks", "not_a_server_error", "--max-examples", str(examples), "--mode", "all",
        "--exclude-path-regex", ENDS.pattern, "--phases", "examples,coverage,fuzzing",
        "--request-timeout", "60", "--report", "junit", "--report-junit-path", str(target),
        "--seed", "7", "--no-color", "--suppress-health-check", "all",
    )  # fmt: skip
    name = f"schemathesis ({caller.role})"
    if not target.exists():
        return Report(name, "", (), trouble=(done.stdout + done.stderr).strip()[-160:])
    tree = defusedxml.ElementTree.parse(target).getroot()
    cases = list(_cases(tree))
    findings = tuple(
        Finding(
            name,
            "high",
            "server-error",
            case.get("name", "?"),
            (case[0].get("message") or "")[:200],
        )
        for case in cases
        if case.find("failure") is not None
    )
    sent = re.search(r"(\d+) generated", done.stdout)
    looked = f"{len(cases)} operations, {sent[1] if sent else '?'} cases"
    return Report(name, looked, findings)


def _cases(tree: Element) -> Iterator[Element]:
    yield from tree.iter("testcase")


def wapiti(made: Scanned, caller: Caller | None, *, seconds: int) -> Report:
    """Crawl and attack as a browser would; without the module that asks other machines (ssrf)."""
    OUT.mkdir(parents=True, exist_ok=True)
    name = f"wapiti ({caller.role if caller else 'stranger'})"
    target = OUT / f"wapiti-{caller.role if caller else 'stranger'}.json"
    target.unlink(missing_ok=True)
    # Who is signed in tries no passwords: they would lock this machine out for the next role.
    cookie = (
        ("--header", f"Cookie: {caller.cookie}", "-x", f"{made.url}/sign-in*") if caller else ()
    )
    home = made.url + (BEGINS.get(caller.role, "/account") if caller else "/")
    done = run(
        "wapiti", "-u", home, "--scope", "domain", "-m", MODULES, *cookie, "-f", "json",
        "-o", str(target), "--flush-session", "--max-scan-time", str(seconds), "-d", "4",
        "--max-attack-time", str(seconds // 4),
        "--max-links-per-page", "60", "--store-session", str(OUT / "wapiti"), "--no-bugreport",
        "-x", f"{made.url}/sign-out*", "-x", f"{made.url}/account/*", "-t", "20", "-v", "0",
        "--dns-endpoint", "127.0.0.1",
    )  # fmt: skip
    if not target.exists():
        return Report(name, "", (), trouble=(done.stdout + done.stderr).strip()[-160:])
    found = json.loads(target.read_text())
    levels = {1: "low", 2: "medium", 3: "high", 4: "high"}
    findings = tuple(
        Finding(
            "wapiti", levels.get(int(row["level"]), "info"), kind, row["path"], row["info"][:200]
        )
        for kind, rows in {**found["vulnerabilities"], **found["anomalies"]}.items()
        for row in rows
    )
    return Report(name, f"{found['infos'].get('crawled_pages_nbr', '?')} pages", findings)


def sqlmap(
    made: Scanned, roles: tuple[str, ...], *, name: str, level: int, part: int, parts: int
) -> Report:
    """Try every parameter of every address once for statements that can be bent.

    Each address is asked as the first role that it answers: behind a refusal no parameter is
    read, and nothing could be found. Level 3 would send its tests in cookies and headers of each
    address too. Every address reads those by the same code, so the first part does it for one
    address and no other.
    """
    OUT.mkdir(parents=True, exist_ok=True)
    targets = list(addresses(made, made.caller(roles[0])))[part::parts]
    if not targets:
        return Report(name, "", (), trouble="no address")
    given, unread = share_out(made.caller, roles, targets)
    pages = [
        _sqlmap_run(f"sqlmap-{part + 1}-{caller.role}", theirs, caller, level,
                    "--skip", "user-agent,referer,cookie,host")
        for caller, theirs in given.items()
    ]  # fmt: skip
    wanted = len(targets) - len(unread)
    if part == 0 and level > 1:
        caller, theirs = next(iter(given.items()))
        pages.append(_sqlmap_run("sqlmap-headers", theirs[:1], caller, level))
    said = "\n".join(pages)
    findings = (
        *(Finding("sqlmap", "high", "injectable", found[1])
          for found in re.finditer(r"Parameter: (.+)\n\s+Type:", said)),
        *(Finding("sqlmap", "info", "refused", one) for one in unread),
    )  # fmt: skip
    tried = len(set(re.findall(r"testing URL '([^']+)'", said)))
    parameters = len(re.findall(r"(?:does not seem to be|is) (?:injectable|vulnerable)", said))
    trouble = "" if tried >= wanted else f"{tried} of {wanted} tried"
    looked = f"{wanted} addresses, {parameters} parameters, {len(given)} roles"
    if unread:
        looked += f"; {len(unread)} refuse every role"
    return Report(name, looked, findings, trouble=trouble)


def share_out(
    sign_in: Callable[[str], Caller], roles: tuple[str, ...], targets: list[str]
) -> tuple[dict[Caller, list[str]], list[str]]:
    """Give each address to the first role that it answers; return the rest apart.

    Where it answers nobody, the first role that is told what is wrong with the values has at
    least reached what reads them.
    """
    callers: dict[str, Caller] = {}
    given: dict[Caller, list[str]] = {}
    unread = []
    for target in targets:
        best = (REFUSED, "")
        for role in roles:
            if role not in callers:
                callers[role] = sign_in(role)
            best = max(best, (reach(target, callers[role]), role), key=lambda one: one[0])
            if best[0] == ANSWERED:
                break
        if best[0] == REFUSED:
            unread.append(target)
        else:
            given.setdefault(callers[best[1]], []).append(target)
    return given, unread


def reach(target: str, caller: Caller) -> int:
    """Say how far a caller comes: to an answer, to the reading of the parameters, or not in."""
    answer = requests.get(
        target, headers={"Cookie": caller.cookie}, timeout=60, allow_redirects=False, stream=True
    )
    with answer:
        sent_to = answer.headers.get("Location", "") if answer.is_redirect else ""
        if answer.status_code in {401, 403} or re.search(r"/sign-in|/confirm", sent_to):
            return REFUSED
        return ANSWERED if answer.ok else READ


def _sqlmap_run(stem: str, targets: list[str], caller: Caller, level: int, *more: str) -> str:
    listed = OUT / f"{stem}.txt"
    listed.write_text("\n".join(targets) + "\n")
    done = run(
        "sqlmap", "-m", str(listed), "--batch", "--level", str(level), "--risk", "1",
        "--cookie", caller.cookie, "--flush-session", "--dbms", "PostgreSQL",
        "--technique", "BEU", "--threads", "2", "--timeout", "30", "--retries", "0",
        "--output-dir", str(OUT / stem), "--disable-coloring", "--skip-waf", "-v", "1",
        "--ignore-code", "401,403,404,422,429", *more,
    )  # fmt: skip
    (OUT / f"{stem}.log").write_text(done.stdout)
    return done.stdout


def addresses(made: Scanned, caller: Caller) -> Iterator[str]:
    """Build addresses with every parameter that the description names."""
    answer = requests.get(
        f"{made.url}/api/openapi.json", headers={"Cookie": caller.cookie}, timeout=60
    )
    for path, methods in answer.json()["paths"].items():
        asked = methods.get("get")
        if asked is None or ENDS.search(path):
            continue
        named = [one for one in asked.get("parameters", []) if one.get("in") == "query"]
        if not named:
            continue
        plain = re.sub(r"\{(\w+)\}", lambda found: VALUES.get(found[1], "1"), path)
        query = {one["name"]: VALUES.get(one["name"], "1") for one in named}
        yield f"{made.url}{plain}?{urlencode(query)}"


def is_up(made: Scanned) -> bool:
    """Say whether the city still answers after all that."""
    try:
        return requests.get(f"{made.url}/readyz", timeout=30).ok
    except (requests.RequestException, subprocess.SubprocessError):
        return False
