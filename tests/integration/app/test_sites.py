"""The tree of organisations: how many, which have a site, who sees which node."""

from collections.abc import Callable

import pytest
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids import sites
from grids.registers.kinds import kind_of
from grids.registers.listing import listed
from tests.support.cases import build_city
from tests.support.maps import actor_in

COUNTY = "339901"
WEST, EAST = "339901001", "339901002"
ORGANISATIONS = (WEST, f"{WEST}001", EAST, f"{EAST}001")


@pytest.fixture
def tree(session: Session) -> Session:
    """Give three of four organisations their site; the eastern community waits for its own."""
    build_city(session)
    session.execute(text("UPDATE area SET kind = 'street' WHERE code = '339901001'"))
    session.execute(text("UPDATE area SET kind = 'zone' WHERE code = '339901002'"))
    session.execute(text("UPDATE area SET kind = 'village' WHERE level = 12"))
    for code, kind, lon in ((WEST, "street", 120.05), (f"{WEST}001", "village", 120.06),
                            (EAST, "zone", 120.15)):  # fmt: skip
        session.execute(
            text(
                "INSERT INTO site (org_code, name, kind, hours, phone, geom) VALUES (:code, :name,"
                " :kind, 'Mo-Fr 08:30-11:30,14:00-17:30', '12579000001',"
                " ST_SetSRID(ST_MakePoint(:lon, 29.3), 4490))"
            ),
            {"code": code, "name": f"{code}号站", "kind": kind, "lon": lon},
        )
    session.flush()
    return session


def test_the_tree_counts_organisations_and_sites_by_kind(tree: Session) -> None:
    found = {one.kind: (one.organisations, one.sites) for one in sites.counts(tree, actor_in())}

    assert found == {"street": (1, 1), "zone": (1, 1), "village": (2, 1)}


def test_a_node_knows_its_site_and_what_stands_below(tree: Session) -> None:
    nodes = sites.under(tree, actor_in(), COUNTY)

    assert [(node.area.code, node.site.name if node.site else None) for node in nodes] == [
        (WEST, f"{WEST}号站"), (EAST, f"{EAST}号站"),
    ]  # fmt: skip
    below = [[(one.kind, one.organisations, one.sites) for one in node.below] for node in nodes]
    assert below == [[("village", 1, 1)], [("village", 1, 0)]]
    assert sites.under(tree, actor_in(), f"{EAST}001") == ()


@pytest.mark.parametrize("node", [COUNTY, *ORGANISATIONS])
def test_whoever_answers_for_a_node_sees_its_branch_and_nothing_else(
    tree: Session, node: str
) -> None:
    actor = actor_in(node)
    own = [code for code in ORGANISATIONS if code.startswith(node)]

    assert sum(one.organisations for one in sites.counts(tree, actor)) == len(own)
    shown = {row.org_code for row in listed(tree, actor, kind_of("site")).rows}
    # A site stands where it stands: that of the town is on the ground of one of its communities.
    ground = {row[0] for row in tree.execute(
        text("SELECT org_code FROM site WHERE area_code ^@ :node"), {"node": node})}  # fmt: skip
    assert shown == ground
    assert {code for code in shown if not code.startswith(node[:9])} == set()
    for town in (WEST, EAST):
        nodes = sites.under(tree, actor, town)
        if not (town.startswith(node) or node.startswith(town)):
            assert nodes == ()


@pytest.mark.parametrize(
    ("lang", "words"),
    [("zh", ("组织与站点", "开发区", "周一至周五 08:30–11:30、14:00–17:30", "12579000001")),
     ("en", ("Organisations and sites", "Development zone", "Monday to Friday 08:30–11:30"))],
)  # fmt: skip
def test_the_page_tells_hours_and_telephone_in_both_languages(
    tree: Session, sign_in: Callable[..., FlaskClient], lang: str, words: tuple[str, ...]
) -> None:
    client = sign_in("commander", area=COUNTY)

    answer = client.get(f"/data/sites?area={COUNTY}", headers={"Accept-Language": lang})

    body = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert all(word in body for word in words), words
    assert f"/data/sites?area={EAST}" in body


def test_hours_that_cannot_be_read_are_told_at_their_field_and_change_nothing(
    tree: Session, sign_in: Callable[..., FlaskClient]
) -> None:
    client = sign_in("steward", area=COUNTY)
    key = tree.scalar(text("SELECT id FROM site WHERE org_code = :code"), {"code": WEST})
    path = f"/registers/site/{key}"
    token = client.get(path).get_data(as_text=True).partition('name="csrf_token" value="')[2]
    form = {"csrf_token": token.partition('"')[0], "reason": "新作息", "hours": "早上八点半"}

    refused = client.post(path, data=form)
    kept = tree.scalar(text("SELECT hours FROM site WHERE id = :id"), {"id": key})
    done = client.post(path, data=form | {"hours": "Mo-Sa 09:00-17:00"})

    assert refused.status_code == 422
    assert 'aria-invalid="true"' in refused.get_data(as_text=True)
    assert kept == "Mo-Fr 08:30-11:30,14:00-17:30"
    assert done.status_code == 303
    assert "周一至周六 09:00–17:00" in client.get(path).get_data(as_text=True)
