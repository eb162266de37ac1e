"""Process files: who runs, told apart from a later process of the same number."""

import contextlib
from pathlib import Path


def record(run_dir: Path, name: str, pid: int, restarts: int = 0) -> None:
    """Write who runs: the start time tells it from a later process of the same number."""
    (run_dir / f"{name}.pid").write_text(f"{pid} {start_ticks(pid)} {restarts}\n")


def recorded(run_dir: Path, name: str) -> int | None:
    """Return the number of a process that was recorded and still lives."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        pid, ticks, _ = map(int, (run_dir / f"{name}.pid").read_text().split())
        if start_ticks(pid) == ticks and state(pid) != "Z":
            return pid
    return None


def restarts(run_dir: Path, name: str) -> int:
    """Return how often a process was started again."""
    with contextlib.suppress(OSError, ValueError, IndexError):
        return int((run_dir / f"{name}.pid").read_text().split()[2])
    return 0


def start_ticks(pid: int) -> int:
    """Return when a process started, in clock ticks since the machine did; 0 for none."""
    fields = _stat(pid)
    return int(fields[19]) if fields else 0


def state(pid: int) -> str:
    """Return the state letter of a process; a dead one counts as a zombie."""
    fields = _stat(pid)
    return fields[0] if fields else "Z"


def _stat(pid: int) -> list[str]:
    """Read the fields after the name, which may itself hold spaces."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return []
