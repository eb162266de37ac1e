"""What is wrong with this machine or installation, and what to do about it."""

import os
import shutil
import stat
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg

from app import cluster, processes, roles
from app.config import ROOT, InvalidSetting, Settings

ENOUGH_DISK = 2 * 1024**3
#: Streams of the live process and connections of the web share this limit.
ENOUGH_FILES = 4096
SECRET_FILES = ("secrets.json", "demo-logins.json")


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at."""

    subject: str
    found: str
    is_good: bool = True
    next_step: str = ""


def examine() -> list[Finding]:
    """Look at the machine, the settings, the database and the processes."""
    findings = [_python(), _node(), _server_programs(), _open_files(), _https_browser()]
    try:
        settings = Settings.load()
    except InvalidSetting as error:
        return [*findings, Finding("settings", str(error), False, "see docs/settings.md")]
    findings += [Finding("settings", "all readable"), _disk(settings), *_secret_files(settings)]
    return [*findings, *_database(settings), *_processes(settings)]


def _python() -> Finding:
    found = sys.version.split()[0]
    is_good = (3, 11) <= sys.version_info[:2] <= (3, 13)
    return Finding("Python", found, is_good, "install Python 3.11 and remove .venv")


def _node() -> Finding:
    built = ROOT / "static/dist/manifest.json"
    found = "built" if built.exists() else "not built"
    return Finding("scripts and styles", found, built.exists(), "run ./wangge assets")


def _server_programs() -> Finding:
    try:
        return Finding("PostgreSQL programs", str(cluster.server_bin()))
    except cluster.ClusterError as error:
        return Finding("PostgreSQL programs", str(error), False, "run ./wangge db, which gets them")


def _open_files() -> Finding:
    import resource

    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    return Finding(
        "open files", f"{soft} allowed", soft >= ENOUGH_FILES, f"ulimit -n {ENOUGH_FILES} or more"
    )


def _https_browser() -> Finding:
    found = shutil.which("chromium")
    return Finding("Chromium (tests only)", found or "none: browser tests will be skipped")


def _disk(settings: Settings) -> Finding:
    top = settings.var_dir if settings.var_dir.exists() else settings.var_dir.parent
    free = shutil.disk_usage(top).free
    return Finding(
        "free disk", f"{free / 1024**3:.1f} GB", free >= ENOUGH_DISK, "make room, at least 2 GB"
    )


def _secret_files(settings: Settings) -> Iterator[Finding]:
    for name in SECRET_FILES:
        path = settings.var_dir / name
        if path.exists():
            mode = stat.S_IMODE(path.stat().st_mode)
            is_good = not mode & 0o077 and path.stat().st_uid == os.getuid()
            yield Finding(name, f"mode {mode:04o}", is_good, f"chmod 600 {_shown(path)}")


def _database(settings: Settings) -> Iterator[Finding]:
    try:
        with psycopg.connect(settings.database_url, connect_timeout=3) as conn:
            row = conn.execute("SHOW server_version").fetchone()
            yield Finding("database", str(row[0]) if row else "unknown")
            yield from _inside(conn, settings)
    except psycopg.Error as error:
        first = str(error).splitlines()[0]
        yield Finding("database", first, False, "run ./wangge up; see var/pg/log")


def _inside(conn: psycopg.Connection, settings: Settings) -> Iterator[Finding]:
    """Look at the durability, the extensions, the schema and the city."""
    yield _looked("durability", lambda: _durability(conn))
    row = conn.execute(
        "SELECT string_agg(extname || ' ' || extversion, ', ' ORDER BY extname)"
        " FROM pg_extension WHERE extname = ANY(%s)",
        (list(roles.EXTENSIONS),),
    ).fetchone()
    found = str(row[0]) if row and row[0] else "none"
    has_all = all(name in found for name in roles.EXTENSIONS)
    yield Finding("extensions", found, has_all, "run ./wangge migrate")
    exists = conn.execute("SELECT to_regclass('city') IS NOT NULL").fetchone()
    if exists != (True,):
        yield Finding("schema", "none", False, "run ./wangge migrate")
        return
    city = conn.execute("SELECT name_zh, metric_srid, city_zone FROM city").fetchone()
    shown = f"{city[0]}, EPSG:{city[1]}, {city[2]}" if city else "none yet"
    yield Finding("city", shown, city is not None, "run ./wangge demo or ./wangge import osm FILE")
    if city and city[2] != settings.city_zone:
        next_step = f"set WANGGE_CITY_ZONE={city[2]}"
        yield Finding("time zone", f"settings say {settings.city_zone}", False, next_step)


def _durability(conn: psycopg.Connection) -> str:
    roles.check_durability(conn)
    return "fsync, synchronous_commit, full_page_writes and checksums are on"


def _looked(subject: str, look: Callable[[], str]) -> Finding:
    try:
        return Finding(subject, look())
    except cluster.ClusterError as error:
        return Finding(subject, str(error), False, "turn it on in the server's settings")


def _processes(settings: Settings) -> Iterator[Finding]:
    for row in processes.status(settings):
        if row.name == "database":
            continue
        is_good = row.pid is not None and row.restarts < 5
        found = f"running, {row.restarts} restarts" if row.pid else "down"
        yield Finding(row.name, found, is_good, f"run ./wangge up; see var/log/{row.name}.log")


def _shown(path: Path) -> Path:
    return path.relative_to(ROOT) if path.is_relative_to(ROOT) else path
