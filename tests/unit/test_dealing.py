"""How tests are dealt out: what belongs together stays together, what is long comes first."""

from collections import OrderedDict

from app.config import ROOT
from tests.support.dealing import SECONDS, ByFile, scope_of

SHORT, LONG, HALF = "tests/short.py", "tests/integration/test_kill.py", "browser e-z"


class Node:
    """Stands for a process: notes what it was sent."""

    def __init__(self) -> None:
        self.sent: list[list[int]] = []

    def send_runtest_some(self, numbers: list[int]) -> None:
        self.sent.append(numbers)


def test_each_half_of_the_browser_tests_stays_together() -> None:
    halves: dict[str, set[str]] = {}
    for path in (ROOT / "tests/browser").glob("test_*.py"):
        half = scope_of(f"tests/browser/{path.name}::test_one[a/b]")
        halves.setdefault(half, set()).add(path.name)

    assert set(halves) == {"browser a-d", "browser e-z"}
    assert min(map(len, halves.values())) > 3


def test_a_file_of_another_folder_is_alone() -> None:
    assert scope_of("tests/unit/gis/test_link.py::test_one[a/b]") == "tests/unit/gis/test_link.py"


def test_every_file_that_is_called_long_is_there() -> None:
    files = {scope for scope in SECONDS if scope.endswith(".py")}

    assert {file for file in files if not (ROOT / file).is_file()} == set()
    assert set(SECONDS) - files == {"browser a-d", "browser e-z"}


def test_the_longest_is_dealt_out_first() -> None:
    scopes = {SHORT: 2, LONG: 1, "tests/many.py": 20, HALF: 3}
    tests = [f"{scope}::{number}" for scope, count in scopes.items() for number in range(count)]
    node = Node()
    dealer = ByFile.__new__(ByFile)  # without the session of a real run
    dealer.assigned_work, dealer.registered_collections = {}, {node: tests}
    dealer.workqueue = OrderedDict(
        (scope, {test: False for test in tests if test.startswith(f"{scope}::")})
        for scope in scopes
    )

    for _ in scopes:
        dealer._assign_work_unit(node)

    sent = [tests[numbers[0]].partition("::")[0] for numbers in node.sent]
    assert sent == [HALF, LONG, "tests/many.py", SHORT]
    assert sorted(number for numbers in node.sent for number in numbers) == list(range(len(tests)))
