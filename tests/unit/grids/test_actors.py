"""Two roles of one person stay in their own areas."""

from grids.accounts import ROLES, Actor
from grids.accounts.actors import Grant

COUNTY, WEST, EAST = "339901", "339901001", "339901002"


def person(*grants: Grant) -> Actor:
    roles = frozenset(grant.role for grant in grants)
    return Actor(
        account_id=1,
        name="two hats",
        roles=roles,
        permissions=frozenset().union(*(ROLES[role] for role in roles)),
        areas=tuple(sorted({grant.area_code for grant in grants})),
        department=next((grant.department for grant in grants if grant.department), None),
        grants=grants,
    )


def test_what_one_role_allows_is_not_done_in_the_area_of_another() -> None:
    both = person(Grant("planner", COUNTY), Grant("town_seat", WEST))

    assert both.acting("incident:move").areas == (WEST,)
    assert both.acting("export:run").areas == (COUNTY,)
    assert both.acting("map:view").areas == (COUNTY, WEST)


def test_a_department_limits_only_what_is_done_for_it() -> None:
    both = person(Grant("handler", COUNTY, "D03"), Grant("planner", COUNTY))

    assert both.acting("incident:move").department == "D03"
    assert both.acting("export:run").department is None


def test_a_role_is_held_where_it_was_given() -> None:
    both = person(Grant("worker", f"{WEST}001001"), Grant("dispatcher", EAST))

    assert both.holds("dispatcher", f"{EAST}001001")
    assert not both.holds("dispatcher", f"{WEST}001001")
    assert both.holds("worker", f"{WEST}001001")


def test_who_has_one_role_is_not_narrowed() -> None:
    one = person(Grant("dispatcher", WEST))

    assert one.acting("incident:move") is one
    assert one.acting("signed_in") is one
