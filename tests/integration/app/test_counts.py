"""The page of counts: who may see it, who may load, and what a refusal says and keeps."""

import io
import random
from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from grids.key_population.publishing import publish_waiting
from grids.people.counts_groups import publish_groups
from tests.support.maps import NOW
from tests.support.web import Client

TOWN, OTHER = "339901001", "339901002"
GOOD = f"区域代码,类别,月份,人数\n{TOWN},KP01,2026-02,120\n{OTHER},KP01,2026-02,80\n"
BAD = f"区域代码,类别,月份,人数\n{TOWN},王小明,2026-02,339901190001010033\n"


def send(client: Client, table: str, act: str, accept: str = "application/json"):
    return client.post(
        "/counts/tables",
        data={"act": act, "table": (io.BytesIO(table.encode("gb18030")), "t.csv")},
        content_type="multipart/form-data",
        headers={"Accept": accept},
    )


def sent_batches(session) -> int:
    return session.scalar(text("SELECT count(*) FROM population_batch"))


def test_a_table_is_checked_without_being_kept_and_then_loaded(map_app, sign_in, mapped) -> None:
    registrar = sign_in("registrar")

    checked = send(registrar, GOOD, "check")
    kept_by_check = sent_batches(mapped)
    loaded = send(registrar, GOOD, "load")

    assert checked.status_code == 200
    assert checked.json["outcome"] == "checked"
    assert checked.json["found"] == {
        "rows": 2, "areas": 2, "few": 0, "kinds": ["安置帮教人员"], "periods": ["2026-02"],
    }  # fmt: skip
    assert kept_by_check == 0
    assert loaded.json["outcome"] == "loaded"
    assert sent_batches(mapped) == 1
    waiting = "SELECT count(*) FROM procrastinate_jobs WHERE task_name LIKE :name"
    assert mapped.scalar(text(waiting), {"name": "%publish_key_population"}) == 1


@pytest.mark.parametrize("act", ["check", "load"])
def test_a_list_of_persons_is_refused_and_nothing_of_it_is_said(
    map_app, sign_in, mapped, caplog, act
) -> None:
    caplog.set_level("DEBUG")

    refused = send(sign_in("registrar"), BAD, act)

    reasons = {(one["row"], one["column"], one["reason"]) for one in refused.json["refusals"]}
    assert refused.status_code == 422
    assert reasons == {(2, "B", "像姓名"), (2, "D", "像身份证号码")}
    noted = mapped.execute(
        text("SELECT action, detail::text FROM audit_event WHERE action LIKE 'key_population%'")
    ).all()
    assert [row.action for row in noted] == ["key_population_refused"]
    said = refused.text + caplog.text + "".join(row.detail for row in noted)
    assert "王小明" not in said
    assert "339901190001010033" not in said
    assert sent_batches(mapped) == 0


def test_a_refusal_is_a_page_for_who_has_no_script(map_app, sign_in) -> None:
    refused = send(sign_in("registrar"), BAD, "load", accept="text/html")

    assert refused.status_code == 422
    assert "像身份证号码" in refused.text
    assert "王小明" not in refused.text


def test_only_a_registrar_loads_and_only_named_roles_look(map_app, sign_in) -> None:
    assert send(sign_in("commander"), GOOD, "load").status_code == 403
    assert sign_in("commander").get("/counts?view=tables").status_code == 403
    assert sign_in("dispatcher").get("/api/counts").status_code == 403
    assert sign_in("worker").get("/api/counts").status_code == 403


@pytest.mark.parametrize("role", ["commander", "town_seat", "planner", "registrar"])
def test_the_page_shows_what_is_told(map_app, sign_in: Callable[..., Client], mapped, role) -> None:
    send(sign_in("registrar"), GOOD, "load")
    publish_waiting(mapped.connection(), datetime.now(UTC), random.Random(2))
    area = TOWN if role == "town_seat" else "339901"

    page = sign_in(role, area=area).get(f"/counts?area={area}")
    answer = sign_in(role, area=area).get("/api/counts?area=339901&category=KP01").json

    assert page.status_code == 200
    assert "人数统计" in page.text
    shown = {row["code"]: row["count"] for row in answer["areas"]}
    assert shown.keys() == ({TOWN} if role == "town_seat" else {TOWN, OTHER})
    assert abs(shown[TOWN] - 120) <= 14


def test_groups_are_told_from_what_is_published(map_app, sign_in, mapped) -> None:
    publish_groups(mapped.connection(), NOW, random.Random(4))

    answer = sign_in("planner").get("/api/counts?view=groups&age=80%2B&residency=migrant").json

    assert [row["count"] for row in answer["areas"]] == ["withheld", "withheld"]


@pytest.mark.parametrize(
    "query", ["view=lists", "category=KP99", "view=groups&age=33", "period=yesterday"]
)
def test_what_there_is_not_is_told(map_app, sign_in, query) -> None:
    answer = sign_in("commander").get(f"/api/counts?{query}")

    assert answer.status_code == 422
    assert answer.json["code"] == "counts.no_group"


def test_the_page_reads_in_english(map_app, sign_in) -> None:
    client = sign_in("commander")
    client.get("/lang/en")

    assert "Key population and forces" in client.get("/counts").text
