"""The demonstration: a city that can be signed in to, from one command."""

import json
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from app import installation, processes
from app.config import Settings
from app.installation import Progress

LOGINS = "demo-logins.json"
#: The demonstration's outdoor people go on duty for twelve hours when their logins are drawn.
SHIFT_S = 10 * 3600


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demonstration tells its reader."""

    origin: str
    logins: list[dict[str, Any]]
    logins_file: Path


def show(
    settings: Settings, *, extract: Path | None, scale: float, seed: int, progress: Progress
) -> Shown:
    """Build what is missing of the demonstration and start it; the second time only starts it."""
    installation.prepare(settings, progress)
    path = settings.var_dir / LOGINS
    is_cut_off = installation.is_half_built(settings)
    if is_cut_off or installation.zone_of_city(settings) is None:
        path.unlink(missing_ok=True)  # the accounts of a city that is gone
        if extract and not is_cut_off:
            progress(f"city from {extract.name}")
            installation.import_city(settings, extract, progress)
        else:
            progress(f"simulated city of scale {scale:g}")
            installation.build_city(settings, scale=scale, seed=seed, progress=progress)
    elif extract:
        progress("the database has a city already; to show another one, remove var/pg")
    installation.enliven(settings, seed=seed, progress=progress)
    if _is_stale(settings, path):
        progress("people who sign in")
        _create_logins(settings, path)
    progress("web, live, worker and sealer")
    # Who only looks around has no authenticator at hand; nobody but a demonstration does this.
    open_door = replace(installation.with_city_zone(settings), second_factor="offered")
    ports, _ = processes.up(open_door)
    progress("ready")
    logins = json.loads(path.read_text())
    return Shown(f"http://{settings.bind}:{ports.web}", logins, path)


def _is_stale(settings: Settings, path: Path) -> bool:
    """Say whether there are no logins yet, their shift is about to end, or their city is gone."""
    if not path.exists() or time.time() - path.stat().st_mtime > SHIFT_S:
        return True
    from grids.demo import are_known

    kept = [login["login"] for login in json.loads(path.read_text())]
    with installation.owner_session(settings) as session:
        return not are_known(session, kept)


def _create_logins(settings: Settings, path: Path) -> None:
    """Make one account per role with a random password, and keep them for this user only."""
    from grids.demo import create_demo_accounts
    from grids.key_population import demo as key_population_demo

    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    with installation.owner_session(settings) as session:
        now = datetime.now(UTC)
        made = [login.as_dict() for login in create_demo_accounts(session, now=now)]
        key_population_demo.fill(session, now)
        draft.write_text(json.dumps(made, ensure_ascii=False, indent=1))
    os.replace(draft, path)  # noqa: PTH105 - after the commit, so that a file means accounts


def summary(shown: Shown) -> Iterator[str]:
    """Say where the faces are and who may sign in."""
    yield ""
    for face, path in (("public", "/"), ("command", "/command"), ("worker", "/worker/"),
                       ("planner", "/planner")):  # fmt: skip
        yield f"  {face:<10}{shown.origin}{path}"
    yield ""
    yield f"  {'role':<18}{'sign-in':<24}{'password':<20}area"
    for login in _one_per_role(shown.logins):
        yield f"  {login['role']:<18}{login['login']:<24}{login['password']:<20}{login['area']}"
    yield ""
    yield f"  {'department, town':<18}{'sign-in':<32}{'password':<20}area"
    for login in shown.logins:
        if login.get("title"):
            yield (f"  {login['role']:<18}{login['login']:<32}{login['password']:<20}"
                   f"{login['area']:<12}{login['title']}")  # fmt: skip
    yield ""
    yield "  The second factor is offered here, not asked for; ./wangge up asks everybody for it."
    yield f"  These are kept in {shown.logins_file} (mode 0600). Stop with ./wangge down."


def _one_per_role(logins: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Pass the first login of each role; departments and towns follow in a table of their own."""
    seen = set()
    for login in logins:
        if login["role"] not in seen:
            seen.add(login["role"])
            yield login
