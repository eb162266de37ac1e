"""The maps of threats and duties name only what exists."""

import csv
import re
from pathlib import Path

import pytest

from app.config import ROOT

MAPS = ROOT / "docs/compliance"
STATUSES = {"met", "partly", "deployer", "not applicable"}
PROVED = {"met"}
REFERENCE = re.compile(r"`((?:tests|bench|docs|deploy|data|app|grids|gis)/[^`\s]+)`")


def rows(name: str) -> list[dict[str, str]]:
    with (MAPS / name).open(newline="") as file:
        return list(csv.DictReader(file))


def missing(reference: str) -> str | None:
    """Say what of `path` or `path::test` does not exist."""
    path, _, name = reference.partition("::")
    if not (ROOT / path).exists():
        return path
    if name and not re.search(
        rf"^(?:async )?def {re.escape(name)}\b", (ROOT / path).read_text(), re.MULTILINE
    ):
        return reference
    return None


@pytest.mark.parametrize("name", ["asvs.csv", "mlps.csv", "pipl.csv", "acceptance.csv"])
def test_every_row_says_where_it_is_met_or_why_not(name: str) -> None:
    wrong = []
    for row in rows(name):
        where = [part for part in row["where"].split(";") if part]
        is_known = row["status"] in STATUSES
        is_backed = bool(where) if row["status"] in PROVED else bool(where or row["note"])
        lost = [part for part in where if missing(part)]
        if not is_known or not is_backed or lost:
            wrong.append((row["id"], row["status"], lost))

    assert wrong == []


def test_every_requirement_of_asvs_levels_1_and_2_is_answered() -> None:
    found = rows("asvs.csv")

    assert len({row["id"] for row in found}) == len(found) == 253
    assert sum(row["level"] == "1" for row in found) == 70


def test_every_point_of_the_acceptance_list_is_answered() -> None:
    assert [row["id"] for row in rows("acceptance.csv")] == [f"S{n:02}" for n in range(1, 70)]


@pytest.mark.parametrize("page", ["threats.md", "compliance.md", "security.md"])
def test_a_page_names_only_files_and_tests_that_exist(page: str) -> None:
    text = (ROOT / "docs" / page).read_text()
    references = REFERENCE.findall(text)

    assert references, "the page proves nothing"
    assert [r for r in references if missing(r)] == []


def test_the_summary_counts_what_the_tables_say() -> None:
    page = (ROOT / "docs/compliance.md").read_text()

    for name in ("asvs.csv", "mlps.csv", "pipl.csv", "acceptance.csv"):
        counts = [sum(row["status"] == status for row in rows(name))
                  for status in ("met", "partly", "deployer", "not applicable")]  # fmt: skip
        line = next(line for line in page.splitlines() if f"compliance/{name})" in line)
        assert [int(cell) for cell in line.split("|")[2:6]] == counts


def test_a_missing_reference_is_noticed() -> None:
    assert missing("tests/house/test_compliance.py::test_a_missing_reference_is_noticed") is None
    assert missing("tests/house/test_compliance.py::test_nobody_wrote")
    assert missing("tests/nowhere.py")
    assert Path(__file__).exists()
