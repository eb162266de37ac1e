"""Publishing from the register: kept draws, empty registers, areas that come and go."""

import random
from datetime import timedelta

from sqlalchemy import text

from grids.people import publish_if_due
from grids.people.counts import publish_areas
from grids.people.counts_groups import publish_groups
from tests.support.cases import EAST_GRID, WEST_GRID
from tests.support.maps import NOW

CHANCE = random.Random(9)


def move_in(session, code: str, n: int, residency: str = "registered") -> None:
    dwelling = session.scalar(
        text(
            "INSERT INTO dwelling (building_id, use) SELECT min(id), 'own' FROM building"
            " RETURNING id"
        )
    )
    household = session.scalar(
        text(
            "INSERT INTO household (dwelling_id, kind, cell_id, area_code)"
            " VALUES (:d, 'family', 1, :a) RETURNING id"
        ),
        {"d": dwelling, "a": code},
    )
    session.execute(
        text(
            "INSERT INTO person (household_id, name_sealed, id_number_sealed, id_number_index,"
            " birth_sealed, age_band, relation, residency, cell_id, area_code, moved_in_on)"
            " SELECT :h, '', '', '', '', '60-79', 'head', :r, 1, :a, '2025-01-01'"
            " FROM generate_series(1, :n)"
        ),
        {"h": household, "a": code, "n": n, "r": residency},
    )


def told(session) -> dict[tuple[str, str], int | None]:
    rows = session.execute(text("SELECT area_code, measure, value FROM people_count"))
    return {(row.area_code, row.measure): row.value for row in rows}


def test_a_register_without_people_tells_nothing(mapped) -> None:
    publish_areas(mapped.connection(), NOW, CHANCE)
    publish_groups(mapped.connection(), NOW, CHANCE)

    assert set(told(mapped).values()) == {None}
    assert mapped.scalar(text("SELECT count(*) FROM people_group_count")) == 0


def test_a_few_who_move_in_do_not_show_and_many_do(mapped) -> None:
    move_in(mapped, WEST_GRID, 200)
    move_in(mapped, EAST_GRID, 300)
    publish_areas(mapped.connection(), NOW, CHANCE)
    first = told(mapped)

    move_in(mapped, WEST_GRID, 4)
    publish_areas(mapped.connection(), NOW + timedelta(days=7), CHANCE)
    second = told(mapped)
    move_in(mapped, WEST_GRID, 100)
    publish_areas(mapped.connection(), NOW + timedelta(days=14), CHANCE)
    third = told(mapped)

    assert second == first
    assert third[EAST_GRID, "people"] == first[EAST_GRID, "people"]
    assert abs(third[WEST_GRID, "people"] - 304) <= 14


def test_people_outside_every_grid_are_in_the_sums_and_nowhere_else(mapped) -> None:
    move_in(mapped, WEST_GRID, 200)
    move_in(mapped, EAST_GRID, 300)
    move_in(mapped, EAST_GRID[:12], 60)
    publish_areas(mapped.connection(), NOW, CHANCE)

    found = told(mapped)
    assert not any(code.endswith("*") for code, _ in found)
    leaves = mapped.execute(text("SELECT leaf FROM people_draw WHERE leaf LIKE '%*'")).scalars()
    assert list(leaves) == [f"{EAST_GRID[:12]}*"]
    # One rest alone is no remainder: the grid beside it gives way.
    assert found[EAST_GRID, "people"] is None
    assert abs(found[EAST_GRID[:12], "people"] - 360) <= 28


def test_groups_and_counts_are_published_together_once_a_week(mapped) -> None:
    move_in(mapped, WEST_GRID, 400)
    move_in(mapped, EAST_GRID, 400)

    first = publish_if_due(mapped.connection(), NOW)
    again = publish_if_due(mapped.connection(), NOW + timedelta(days=6))

    assert first > 0
    assert again == 0
    value = mapped.scalar(
        text(
            "SELECT value FROM people_group_count WHERE age = '60-79' AND residency = 'registered'"
            " AND household = 'family' AND area_code = :a"
        ),
        {"a": WEST_GRID[:12]},
    )
    assert abs(value - 400) <= 24
