"""Every column is judged: a new one is refused until it stands in the inventory (S20, S28)."""

import pytest
from sqlalchemy import Column, Text

import grids.models  # noqa: F401 - every table is known
from app.config import ROOT
from grids import inventory
from grids.db import Base
from grids.inventory import BASES, PERSONAL, PURPOSES, RETENTIONS


def test_every_column_of_every_table_is_in_the_inventory() -> None:
    assert inventory.problems() == []


def test_a_column_that_nobody_judged_is_found() -> None:
    table = Base.metadata.tables["person"]
    column = Column("shoe_size_sealed", Text())
    table.append_column(column)
    try:
        found = inventory.problems()
    finally:
        table._columns.remove(column)

    assert found == [
        "person.shoe_size_sealed is not in the inventory",
        "person.shoe_size_sealed stands not in grids.secrets.SEALED",
    ]


def test_the_inventory_in_the_docs_is_that_of_the_code() -> None:
    assert (ROOT / "docs/inventory.md").read_text() == inventory.markdown()


def test_every_level_purpose_ground_and_retention_is_one_of_the_list() -> None:
    for held in PERSONAL.values():
        assert held.level in {"L2", "L3", "L4"}
        assert held.purpose in PURPOSES
        assert held.basis in BASES
        assert held.retention in RETENTIONS


@pytest.mark.parametrize("permission", ["person:reveal", "reporter:reveal", "subject:handle"])
def test_who_sees_personal_data_is_read_from_the_roles(permission: str) -> None:
    from grids.accounts import ROLES

    told = set(inventory.who_sees(permission).split(", "))

    assert told == {role for role, held in ROLES.items() if permission in held}
