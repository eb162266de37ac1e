"""How deep the longest searches go: a fixed share with every change, everything before a release."""

import os
from collections.abc import Iterable
from itertools import islice
from typing import Final, TypeVar

Case = TypeVar("Case")

#: `WANGGE_TEST_DEPTH=full ./wangge test tests/security` asks every case.
IS_FULL: Final = os.environ.get("WANGGE_TEST_DEPTH") == "full"


def share(cases: Iterable[Case], one_in: int, first: int = 0) -> Iterable[Case]:
    """Return all cases of a full run, else one in so many.

    Searches that begin at different ones ask every case between them.

    >>> list(share("abcdefg", 3, first=1)) if not IS_FULL else ["b", "e"]
    ['b', 'e']
    """
    return cases if IS_FULL else islice(cases, first % one_in, None, one_in)
