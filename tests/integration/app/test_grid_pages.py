"""Pages of the grids: any day before, plans, edits by hand, two people, and what the map shows."""

import re
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
import shapely
from flask.testing import FlaskClient
from sqlalchemy import text
from sqlalchemy.orm import Session

from grids import layers
from grids.area_tree import areas_under
from grids.bulk import driver
from grids.regrid import history, plans, switching
from grids.regrid.designer import design
from grids.regrid.models import GridPlan
from tests.support.grids import COUNTY, NOW, OTHER_TOWN, TOWN, build_town, planner

SignIn = Callable[..., FlaskClient]
PLANS = "/data/grids/plans"


@pytest.fixture
def town(session: Session) -> Session:
    build_town(session)
    session.flush()
    return session


def token(client: FlaskClient, path: str) -> str:
    body = client.get(path).get_data(as_text=True)
    return body.partition('name="csrf_token" value="')[2].partition('"')[0]


def asked(session: Session, who: FlaskClient, **more: str) -> int:
    """Ask for a plan by the form, and let the designer draw it."""
    fields = {"csrf_token": token(who, PLANS), "town": TOWN, "name": "均衡调整", **more}
    answer = who.post(PLANS, data=fields)
    assert answer.status_code == 303, answer.get_data(as_text=True)
    plan = session.get_one(GridPlan, int(answer.location.rsplit("/", 1)[1]))
    assert plan.state == "drafting"
    assert 'http-equiv="refresh"' in who.get(answer.location).get_data(as_text=True)
    plans.draft(session, plan, design, now=NOW)
    return plan.id


def edited(who: FlaskClient, plan_id: int, **body: Any) -> Any:
    mark = re.search(r'name="csrf-token" content="([^"]+)"',
                     who.get(f"{PLANS}/{plan_id}").get_data(as_text=True))  # fmt: skip
    assert mark is not None
    return who.post(
        f"{PLANS}/{plan_id}/edits",
        json=body,
        headers={"X-CSRF-Token": mark[1], "Accept": "application/json"},
    )


def test_a_plan_goes_by_pages_from_the_wish_to_the_day_of_the_switch(
    town: Session, sign_in: SignIn
) -> None:
    drawer, second = sign_in("steward", area=COUNTY), sign_in("commander", area=COUNTY)
    plan_id = asked(town, drawer, grids="13")
    path = f"{PLANS}/{plan_id}"

    ground = drawer.get(f"{path}/ground").get_json()
    state = drawer.get(f"{path}/state").get_json()
    assert len(ground["rings"]) == len(ground["owner"]) == sum(state["labels"][1::2])
    assert set(ground) == {"scale", "rings", "owner"}  # nothing of what stands on one patch
    moved = edited(drawer, plan_id, action="split", grid=2, edit=state["edit"])
    assert moved.status_code == 200
    assert moved.get_json()["figures"]["after"]["grids"] == 14
    assert edited(drawer, plan_id, action="undo", edit=0).status_code == 409  # an old page
    assert edited(drawer, plan_id, action="undo", edit=1).get_json()["edit"] == 0
    refused = edited(drawer, plan_id, action="merge", grid=0, other=11, edit=0)
    assert (refused.status_code, refused.get_json()["code"]) == (422, "regrid.other_community")
    assert "339901001001001" in refused.get_json()["detail"]

    done = drawer.post(f"{path}/design", data={"csrf_token": token(drawer, path),
                                               "action": "submit"})  # fmt: skip
    assert done.status_code == 303
    assert 'value="approve"' not in drawer.get(path).get_data(as_text=True)
    on = history.today(town) + timedelta(days=7)
    fields = {"csrf_token": token(second, path), "action": "approve"}
    early = second.post(f"{path}/decision", data={**fields, "starts_on": "2020-01-01"})
    assert early.status_code == 422
    assert "只能在今后某日零时切换" in early.get_data(as_text=True)
    assert second.post(f"{path}/decision", data={**fields, "starts_on": on.isoformat()}).status_code == 303  # fmt: skip
    plan = town.get_one(GridPlan, plan_id)
    assert (plan.state, plan.starts_on) == ("approved", on)
    assert "已批准，待切换" in drawer.get(PLANS).get_data(as_text=True)


def test_a_wish_that_cannot_be_names_its_field_and_asks_nothing(
    town: Session, sign_in: SignIn
) -> None:
    who = sign_in("planner", area=COUNTY)
    fields = {"csrf_token": token(who, PLANS), "town": TOWN, "name": "调整", "households": "7"}

    answer = who.post(PLANS, data=fields)

    assert answer.status_code == 422
    assert re.search(r'name="households"[^>]*aria-invalid', answer.get_data(as_text=True))
    assert town.query(GridPlan).count() == 0


def test_plans_of_another_town_are_not_there(town: Session, sign_in: SignIn) -> None:
    plan_id = asked(town, sign_in("steward", area=COUNTY))
    stranger = sign_in("steward", area=OTHER_TOWN)

    for path in ("", "/ground", "/state"):
        assert stranger.get(f"{PLANS}/{plan_id}{path}").status_code == 404
    assert "均衡调整" not in stranger.get(PLANS).get_data(as_text=True)
    assert f"{TOWN}001" not in stranger.get(f"/data/grids?town={TOWN}").get_data(as_text=True)
    assert stranger.get(f"/data/grids/shapes?area={TOWN}").get_json()["features"] == []
    assert stranger.get(f"/data/grids/{TOWN}001001").status_code == 422


@pytest.fixture
def switched(town: Session) -> date:
    """Divide the first grid of the town, as of the first of the month before last."""
    people = [planner(town, name) for name in ("drawer", "second")]
    on = (history.today(town) - timedelta(days=50)).replace(day=1)
    from grids.regrid.wishes import Wishes

    plan = plans.ask(town, people[0], TOWN, "拆分", Wishes(start="none"),
                     on=on - timedelta(days=1), now=NOW)  # fmt: skip
    plans.draft(town, plan, design, now=NOW)
    plans.split(town, people[0], plan.id, 0, now=NOW)
    plans.submit(town, people[0], plan.id, now=NOW)
    plans.approve(town, people[1], plan.id, on, today=on - timedelta(days=1), now=NOW)
    switching.switch(town, plan, plans.drawing_of(plan), on=on, now=NOW)
    return on


def test_every_face_shows_the_grids_of_the_day_it_is_asked_for(
    town: Session, sign_in: SignIn, switched: date
) -> None:
    who = sign_in("steward", area=COUNTY)
    before = (switched - timedelta(days=1)).isoformat()
    new = f"{TOWN}001007"

    assert new in who.get(f"/data/grids?town={TOWN}").get_data(as_text=True)
    then = who.get(f"/data/grids?town={TOWN}&on={before}").get_data(as_text=True)
    assert new not in then
    assert "拆分" in then  # the day of the change stands beside
    shapes = who.get(f"/data/grids/shapes?area={TOWN}&asof={before}").get_json()["features"]
    assert len(shapes) == 12
    assert len(who.get(f"/data/grids/shapes?area={TOWN}").get_json()["features"]) == 13
    versions = who.get(f"/data/grids/{TOWN}001001").get_data(as_text=True)
    assert versions.count("拆分") == 1
    assert before[:4] in versions
    assert who.get(f"/api/layers/grid/items?area={TOWN}&asof=gestern").status_code == 422
    actor = planner(town, "reader")
    layer = layers.layer_of("grid")
    day = switched - timedelta(days=1)
    for one, n in ((layer, 13), (layers.as_of(layer, day), 12)):
        found = layers.page_of(driver(town.connection()), one, actor, area=TOWN, limit=50)
        assert found.count == n
    assert len(areas_under(town, actor, f"{TOWN}001")) == 7
    assert len(areas_under(town, actor, f"{TOWN}001", on=day)) == 6


def test_an_entry_of_a_register_knows_its_grid_of_a_day(
    town: Session, sign_in: SignIn, switched: date
) -> None:
    town.execute(text("UPDATE building SET valid_from = '2020-01-01'"))
    row = town.execute(
        text("SELECT id FROM building WHERE area_code = :c LIMIT 1"), {"c": f"{TOWN}001007"}
    ).one()
    who = sign_in("steward", area=COUNTY)

    now = who.get(f"/registers/building/{row.id}").get_data(as_text=True)
    then = who.get(f"/registers/building/{row.id}?on={switched - timedelta(days=1)}")

    assert "区001第7网格" in now
    assert "第1网格" in then.get_data(as_text=True)
    assert "区001第7网格" not in then.get_data(as_text=True)


def test_a_tile_of_a_day_is_another_tile(town: Session, sign_in: SignIn, switched: date) -> None:
    who = sign_in("steward", area=COUNTY)
    box = shapely.from_wkb(bytes(town.scalar(text("SELECT ST_AsBinary(ST_Extent(geom)::geometry) FROM grid_version"))))  # fmt: skip
    x = int((box.centroid.x + 180) / 360 * 2**12)
    path = f"/tiles/grid/12/{x}/1697.mvt"

    now, then = who.get(path), who.get(f"{path}?asof={switched - timedelta(days=1)}")

    assert (now.status_code, then.status_code) == (200, 200)
    assert now.headers["ETag"] != then.headers["ETag"]


def test_a_phone_hears_that_its_grids_are_others(
    town: Session, sign_in: SignIn, switched: date
) -> None:
    who = sign_in("worker", area=f"{TOWN}001001")
    body = who.get("/worker/").get_data(as_text=True)
    known = re.search(r'"grids": ?"(\w+)"', body)

    assert known is not None
    assert who.get("/api/visits/package").get_json()["grids"] == known[1]
    actor = planner(town, "elsewhere", f"{TOWN}001007", "worker")
    assert history.tag(town, actor) != known[1]
