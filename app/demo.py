"""The demonstration: a city that can be signed in to, from one command."""

import json
import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from app import installation, processes
from app.config import Settings
from app.installation import Progress

LOGINS = "demo-logins.json"


@dataclass(frozen=True, slots=True)
class Shown:
    """What the demonstration tells its reader."""

    origin: str
    logins: list[dict[str, str]]
    logins_file: Path


def show(
    settings: Settings, *, extract: Path | None, scale: float, seed: int, progress: Progress
) -> Shown:
    """Build what is missing of the demonstration and start it; the second time only starts it."""
    installation.prepare(settings, progress)
    if not installation.has_city(settings):
        if extract:
            progress(f"city from {extract.name}")
            installation.import_city(settings, extract, progress)
        else:
            progress(f"simulated city of scale {scale:g}")
            installation.build_city(settings, scale=scale, seed=seed, progress=progress)
    elif extract:
        progress("the database has a city already; to show another one, remove var/pg")
    path = settings.var_dir / LOGINS
    if not path.exists():
        progress("people who sign in")
        _create_logins(settings, path)
    progress("web, live, worker and sealer")
    ports, _ = processes.up(settings)
    progress("ready")
    logins = json.loads(path.read_text())
    return Shown(f"http://{settings.bind}:{ports.web}", logins, path)


def _create_logins(settings: Settings, path: Path) -> None:
    """Make one account per role with a random password, and keep them for this user only."""
    from grids import accounts

    draft = path.with_suffix(".new")
    draft.unlink(missing_ok=True)
    draft.touch(mode=0o600)
    with installation.owner_session(settings) as session:
        made = accounts.create_demo_accounts(session)
        draft.write_text(json.dumps(made, ensure_ascii=False, indent=1))
    os.replace(draft, path)  # noqa: PTH105 - after the commit, so that a file means accounts


def summary(shown: Shown) -> Iterator[str]:
    """Say where the faces are and who may sign in."""
    yield ""
    for face, path in (("public", "/"), ("command", "/command"), ("worker", "/worker/"),
                       ("planner", "/planner")):  # fmt: skip
        yield f"  {face:<10}{shown.origin}{path}"
    yield ""
    yield f"  {'role':<18}{'sign-in':<22}password"
    for login in shown.logins:
        yield f"  {login['role']:<18}{login['login']:<22}{login['password']}"
    yield ""
    yield f"  These are kept in {shown.logins_file} (mode 0600). Stop with ./wangge down."
