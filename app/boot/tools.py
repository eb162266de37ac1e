"""What all steps of set-up share: where things lie, programs, stamps, the log, the lock."""

import fcntl
import hashlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
BOOT = ROOT / "var" / "boot"

began = time.monotonic()


class SetupError(Exception):
    """A step failed; the message names the next step for the reader."""


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
    sys.stderr.write(f"[{time.monotonic() - began:5.1f} s] {text}\n")
    sys.stderr.flush()


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
