"""The page of duplicates: compare, merge, hold apart, way back; old ids lead to the survivor."""

from collections.abc import Callable
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids.enterprises import Enterprise
from grids.matching.models import DuplicatePair, EntryMerge
from tests.integration.grids.test_merging import enterprises, pair
from tests.support.cases import EAST, build_city, make_actor

SignIn = Callable[..., FlaskClient]
EAST_TOWN, WEST_TOWN = "339901002", "339901001"


@pytest.fixture
def two(session: Session) -> tuple[int, int, int]:
    """Store two enterprises that may be one; return their keys and that of the pair."""
    build_city(session)
    make_actor(session, "steward")
    one, other = enterprises(session, 2)
    return one, other, pair(session, one, other)


def post(client: Any, path: str, **form: Any) -> Any:
    return client.post(path, data={"csrf_token": client.csrf_token, **form})


def test_a_pair_is_compared_and_merged_and_the_old_page_leads_on(
    session: Session, two: tuple[int, int, int], sign_in: SignIn
) -> None:
    one, other, key = two
    who = sign_in("steward")

    listed = who.get("/data/duplicates").get_data(as_text=True)
    assert "疑似重复" in listed
    assert "商行0" in listed
    assert "名称相同" in listed
    body = who.get(f"/data/duplicates/{key}").get_data(as_text=True)
    assert f'name="f.name" value="{other}"' in body
    assert f'name="keep" value="{other}" checked' in body  # it has a code, the first has none
    done = post(who, f"/data/duplicates/{key}", answer="same", keep=one, why="同一家",
                **{"f.name": other, "f.uscc": other, "f.staff": one})  # fmt: skip

    assert done.status_code == 303
    stands = session.get_one(Enterprise, one, populate_existing=True)
    assert (stands.name, stands.staff) == ("商行1", None)
    page = who.get(done.headers["Location"]).get_data(as_text=True)
    merge_id = session.scalar(select(EntryMerge.id))
    assert f"/data/duplicates/merges/{merge_id}/undo" in page
    moved = who.get(f"/registers/enterprise/{other}")
    assert moved.headers["Location"].endswith(f"/registers/enterprise/{one}?was={other}")
    survivor = who.get(moved.headers["Location"]).get_data(as_text=True)
    assert f"编号 {other}" in survivor
    assert "合并记录" in survivor
    own = who.get(f"/registers/enterprise/{other}?own=1").get_data(as_text=True)
    assert f"已并入编号 {one}" in own
    assert "商行1" in who.get("/data/duplicates?state=same").get_data(as_text=True)

    undone = post(who, f"/data/duplicates/merges/{merge_id}/undo")
    assert undone.headers["Location"].endswith(f"done=unmerged&merge={merge_id}")
    assert who.get(f"/registers/enterprise/{other}").status_code == 200
    again = post(who, f"/data/duplicates/merges/{merge_id}/undo")
    assert again.status_code == 409
    assert "已经撤回" in again.get_data(as_text=True)


def test_entries_are_held_apart_with_a_reason_and_asked_again(
    session: Session, two: tuple[int, int, int], sign_in: SignIn
) -> None:
    _, _, key = two
    who = sign_in("steward")

    silent = post(who, f"/data/duplicates/{key}", answer="different", keep=two[0], why=" ")
    assert silent.status_code == 422
    assert "请写明理由" in silent.get_data(as_text=True)
    done = post(who, f"/data/duplicates/{key}", answer="different", keep=two[0], why="两家店")
    listed = who.get(done.headers["Location"]).get_data(as_text=True)
    assert f"/data/duplicates/{key}/again" in listed
    late = post(who, f"/data/duplicates/{key}", answer="same", keep=two[0], why="同一家")
    assert late.status_code == 409
    assert post(who, f"/data/duplicates/{key}/again").status_code == 303
    assert session.get_one(DuplicatePair, key, populate_existing=True).state == "open"


def test_what_lies_elsewhere_is_named_by_its_town_alone(
    session: Session, two: tuple[int, int, int], sign_in: SignIn
) -> None:
    (east,) = enterprises(session, 1, place=EAST)
    session.execute(text("UPDATE enterprise SET name = '东边秘密' WHERE id = :id"), {"id": east})
    key = pair(session, two[1], east)
    west = sign_in("steward", area=WEST_TOWN)

    for path in ("/data/duplicates", f"/data/duplicates/{key}"):
        body = west.get(path).get_data(as_text=True)
        assert "商行1" in body
        assert "东边秘密" not in body
    refused = post(west, f"/data/duplicates/{key}", answer="same", keep=two[1], why="同一家")
    assert refused.status_code == 404
    assert sign_in("steward", area="339901003").get(f"/data/duplicates/{key}").status_code == 404
    assert sign_in("grid_leader").get("/data/duplicates").status_code == 403


def test_a_steward_lets_the_register_be_looked_through_once(
    session: Session, two: tuple[int, int, int], sign_in: SignIn
) -> None:
    who = sign_in("steward")

    assert [post(who, "/data/duplicates/find").status_code for _ in range(2)] == [303, 303]

    waiting = session.scalar(text(
        "SELECT count(*) FROM procrastinate_jobs WHERE task_name = 'wangge:find_duplicates'"
    ))  # fmt: skip
    assert waiting == 1
    english = who.get("/data/duplicates", headers={"Accept-Language": "en"}).get_data(as_text=True)
    assert "To decide" in english
