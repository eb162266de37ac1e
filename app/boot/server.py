"""PostgreSQL with PostGIS and pgRouting: installed by apt as root, else unpacked under var/boot."""

import json
import os
import shutil
import subprocess
from pathlib import Path

from app.boot.tools import BOOT, SetupError, run, say

DEBS = BOOT / "debs"
SERVER_BIN = Path("/usr/lib/postgresql/15/bin")
SERVER_EXTENSIONS = Path("/usr/share/postgresql/15/extension")
#: Without recommended packages the -scripts packages are left out, and with them the SQL files.
SERVER_PACKAGES = (
    "postgresql-15",
    "postgresql-15-postgis-3",
    "postgresql-15-postgis-3-scripts",
    "postgresql-15-pgrouting",
    "postgresql-15-pgrouting-scripts",
    "libgomp1",
)


def server_is_done() -> bool:
    """Look for the server and the control files of its extensions, installed or unpacked."""
    wanted = ("postgis.control", "pgrouting.control")
    if (SERVER_BIN / "postgres").exists() and all(
        (SERVER_EXTENSIONS / name).exists() for name in wanted
    ):
        return True
    recipe = DEBS / "environment.json"
    return recipe.exists() and Path(json.loads(recipe.read_text())["WANGGE_PG_BIN"]).exists()


def set_up_server() -> None:
    """Get PostgreSQL 15 with PostGIS and pgRouting: by apt as root, else unpacked under var."""
    need_apt("PostgreSQL 15 with PostGIS and pgRouting")
    if os.geteuid() != 0:
        unpack_server()
        return
    say("PostgreSQL, PostGIS and pgRouting (apt)")
    apt_lists()
    # Debian would make and start a cluster of its own; the line keeps it from doing so.
    keep_out = Path("/etc/postgresql-common/createcluster.d/wangge.conf")
    apt_install("postgresql-common")
    is_ours = not (SERVER_BIN / "postgres").exists()
    if is_ours:
        keep_out.parent.mkdir(parents=True, exist_ok=True)
        keep_out.write_text("create_main_cluster = false\n")
    try:
        apt_install(*SERVER_PACKAGES)
    finally:
        if is_ours:
            keep_out.unlink()


def unpack_server() -> None:
    """Download the packages as a plain user and unpack them under var: nothing is installed."""
    say("PostgreSQL, PostGIS and pgRouting (unpacked under var/boot/debs, no root needed)")
    apt_lists()
    tree = DEBS / "root"
    download([*SERVER_PACKAGES], DEBS / "archives")
    say("unpacking")
    unpack(DEBS / "archives", tree, always=SERVER_PACKAGES)
    link_alternatives(tree)
    environment = server_environment(tree)
    (DEBS / "environment.json").write_text(json.dumps(environment, indent=1))
    shutil.rmtree(DEBS / "archives", ignore_errors=True)


def download(packages: list[str], archives: Path) -> None:
    """Let apt resolve and download packages as if nothing were installed."""
    (archives / "partial").mkdir(parents=True, exist_ok=True)
    empty = DEBS / "status"
    empty.write_text("")
    run(["apt-get", *rootless_options(), "-o", f"Dir::State::status={empty}",
         "-o", f"Dir::Cache::archives={archives}", "install", "--download-only", "--yes",
         "--no-install-recommends", *packages],
        next_step="ask for `apt-get update`, or install these as root: " + " ".join(packages),
    )  # fmt: skip


def unpack(archives: Path, tree: Path, always: tuple[str, ...]) -> None:
    """Unpack what the machine does not have; its own libraries are better than a second copy."""
    shown = subprocess.run(
        ["dpkg-query", "-W", "-f", "${Package} ${db:Status-Status}\n"],
        capture_output=True, text=True, check=False,
    ).stdout  # fmt: skip
    has = {line.split()[0] for line in shown.splitlines() if line.endswith(" installed")}
    tree.mkdir(parents=True, exist_ok=True)
    for package in sorted(archives.glob("*.deb")):
        name = package.name.split("_", 1)[0]
        if name in always or name not in has:
            run(["dpkg", "-x", package, tree])


def link_alternatives(tree: Path) -> None:
    """Make the links that a package's own script would make on installation."""
    extensions = tree / "usr/share/postgresql/15/extension"
    for versioned in extensions.glob("*-3.control"):
        plain = versioned.with_name(versioned.name.replace("-3.control", ".control"))
        if plain.is_symlink():
            plain.unlink()
        if not plain.exists():
            plain.symlink_to(versioned.name)


def server_environment(tree: Path) -> dict[str, str]:
    """Say where an unpacked server finds its libraries and tables."""
    libraries = [
        folder
        for top in (tree / "usr/lib", tree / "lib")
        for arch in sorted(top.glob("*-linux-*"))
        for folder in (arch, *(path for path in sorted(arch.iterdir()) if path.is_dir()))
        if any(folder.glob("*.so*"))
    ]
    return {
        "WANGGE_PG_BIN": str(tree / "usr/lib/postgresql/15/bin"),
        "LD_LIBRARY_PATH": os.pathsep.join(map(str, libraries)),
        "PROJ_LIB": str(first(tree / "usr/share/proj", Path("/usr/share/proj"))),
        "GDAL_DATA": str(first(tree / "usr/share/gdal", Path("/usr/share/gdal"))),
    }


def first(*paths: Path) -> Path:
    """Return the first path that exists, else the last."""
    return next((path for path in paths if path.exists()), paths[-1])


def need_apt(what: str) -> None:
    """Stop where there is no apt."""
    if not shutil.which("apt-get"):
        raise SetupError(f"{what}: this machine has no apt; next step: see docs/operating.md")


def apt_lists() -> None:
    """Bring the package lists up to date once per run, for this user where not root."""
    if apt_lists.done:  # type: ignore[attr-defined]
        return
    run(["apt-get", "-o", "DPkg::Lock::Timeout=600", *apt_options(), "update"],
        next_step="look whether the package source of this machine is reachable")  # fmt: skip
    apt_lists.done = True  # type: ignore[attr-defined]


apt_lists.done = False  # type: ignore[attr-defined]


def apt_install(*packages: str) -> None:
    """Install packages, waiting for another apt to end; those that are there stay."""
    run(["apt-get", "-o", "DPkg::Lock::Timeout=600", "-o", "Dpkg::Use-Pty=0", "install", "--yes",
         "--no-install-recommends", *packages],
        next_step="run as root: apt-get install " + " ".join(packages))  # fmt: skip


def apt_options() -> list[str]:
    """Return what apt needs to run as this user."""
    return [] if os.geteuid() == 0 else rootless_options()


def rootless_options() -> list[str]:
    """Point apt at folders of our own, so that it needs no rights."""
    for name in ("lists/partial", "cache", "archives/partial"):
        (DEBS / name).mkdir(parents=True, exist_ok=True)
    return [
        "-o", f"Dir::State::lists={DEBS / 'lists'}", "-o", f"Dir::Cache={DEBS / 'cache'}",
        "-o", "Debug::NoLocking=1", "-o", "APT::Sandbox::User=",
    ]  # fmt: skip
