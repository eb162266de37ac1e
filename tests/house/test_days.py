"""A day is one of the city: the date in UTC is yesterday's for the first eight hours of it."""

import re

from app.config import ROOT


def test_no_day_is_the_date_of_another_zone() -> None:
    taken = re.compile(r"now\((UTC)?\)\.date\(\)|date\.today\(\)")
    found = [
        f"{path.relative_to(ROOT)}:{number}"
        for folder in ("app", "grids", "gis", "tests/integration", "tests/browser")
        for path in sorted((ROOT / folder).rglob("*.py"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        if taken.search(line)
    ]

    assert found == []
