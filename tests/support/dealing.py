"""Which tests go to one process together, and in which order they are dealt out."""

from pathlib import PurePosixPath
from typing import Any, Final

from xdist.scheduler import LoadScopeScheduling

#: These share a running city: browser tests by two halves, each in a process of its own.
TOGETHER: Final = "browser"
#: Seconds of what takes longest, from `./wangge test` on two cores: dealt out first, so that no
#: process is left alone with it at the end. Only the order matters; what is new counts its tests.
SECONDS: Final = {
    "browser a-d": 500, "browser e-z": 480, "tests/security/test_xss.py": 217,
    "tests/security/leaks/test_crawl.py": 207, "tests/security/matrix/test_cross_scope.py": 162,
    "tests/security/test_attacks_counts.py": 89, "tests/integration/test_slow_clients.py": 78,
    "tests/security/test_forgery.py": 62, "tests/security/test_errors.py": 56,
    "tests/security/test_attacks_routes.py": 55, "tests/integration/test_rotation.py": 52,
    "tests/integration/grids/test_story.py": 50, "tests/integration/test_kill.py": 49,
    "tests/integration/grids/test_audit_chain.py": 43, "tests/integration/app/test_intake.py": 37,
    "tests/integration/grids/test_lifecycle_walk.py": 36,
    "tests/security/matrix/test_matrix.py": 34, "tests/integration/test_sealer_stops.py": 33,
    "tests/security/test_fuzz.py": 30, "tests/security/test_headers.py": 28,
    "tests/integration/grids/test_watch.py": 26,
}  # fmt: skip
SECONDS_OF_A_TEST: Final = 0.3


def scope_of(nodeid: str) -> str:
    """Name what a test is dealt out with: its file, or its half of the browser tests.

    >>> scope_of("tests/browser/test_story.py::test_one"), scope_of("tests/house/test_docs.py::t")
    ('browser e-z', 'tests/house/test_docs.py')
    """
    path = nodeid.partition("::")[0]
    folder, name = PurePosixPath(path).parts[1:3] if path.count("/") > 1 else ("", path)
    if folder != TOGETHER:
        return path
    return f"{folder} {'a-d' if name < 'test_e' else 'e-z'}"


def seconds(scope: str, tests: int) -> float:
    """Guess how long a scope takes.

    >>> seconds("tests/integration/test_kill.py", 1), seconds("tests/house/test_docs.py", 10)
    (49, 3.0)
    """
    return SECONDS.get(scope, tests * SECONDS_OF_A_TEST)


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each process whole files, the longest first, and half of the browser tests to one.

    Not by `xdist_group`: pytest 9.2 no longer reads what pytest-xdist 3.8 appends to a test's id,
    so that its groups fall apart and each process starts a city of its own for the same file.
    """

    def _split_scope(self, nodeid: str) -> str:
        return scope_of(nodeid)

    def _assign_work_unit(self, node: Any) -> None:
        longest = max(self.workqueue, key=lambda scope: seconds(scope, len(self.workqueue[scope])))
        self.workqueue.move_to_end(longest, last=False)
        super()._assign_work_unit(node)
