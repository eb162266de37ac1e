"""The Python environment of the project, by its lock."""

import importlib.util
import shutil
import sys
from pathlib import Path

from app.boot.server import apt_lists, apt_options
from app.boot.tools import BOOT, ROOT, SetupError, digest, keep_stamp, run, say, stamp

VENV = ROOT / ".venv"


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
