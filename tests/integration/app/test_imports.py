"""Imports on the data desk: each step of a batch by its page, in both languages, in scope."""

import csv
import io
import json
import re
from collections.abc import Callable
from typing import Any, cast

import pytest
from sqlalchemy import Connection, Engine, text
from sqlalchemy.orm import Session

from app.config import Settings
from app.form_fields import takes
from grids.blobs import Store
from grids.importing.batches import running
from grids.importing.batches.models import ImportBatch
from grids.importing.batches.targets import TARGETS
from tests.support.cases import NOON, build_city

ROWS = (
    ("设施名称", "设施类型", "经度", "纬度", "负责人电话"),
    ("一中", "学校", "120.05", "29.30", "13900000000"),
    ("=cmd|' /C calc'!A0", "占卜馆", "120.06", "29.30", ""),
    ("二中", "学校", "29.30", "120.05", ""),
    ("三中", "学校", "120.15", "29.30", ""),
)


class Desk:
    """A steward's client, with the worker's part done on the same connection."""

    def __init__(self, client: Any, session: Session, connection: Connection, store: Store) -> None:
        self.client, self.session, self.store = client, session, store
        self.engine = cast("Engine", connection)

    def send(self, rows: tuple[tuple[str, ...], ...] = ROWS, **form: str) -> str:
        out = io.StringIO()
        csv.writer(out).writerows(rows)
        data = {"code": "jiaoyu", "name": "教育局学校清单", "target": "facility", **form}
        answer = self.client.post(
            "/data/imports", data={**data, "file": (io.BytesIO(out.getvalue().encode("gb18030")), "学校.csv")},
            content_type="multipart/form-data",
        )  # fmt: skip
        assert answer.status_code == 303, answer.get_data(as_text=True)
        self.work()
        return str(answer.headers["Location"])

    def work(self) -> None:
        """Do what the jobs would that wait."""
        jobs = self.session.execute(
            text("DELETE FROM procrastinate_jobs WHERE task_name LIKE '%_import' RETURNING task_name, args")
        ).all()  # fmt: skip
        for name, arguments in jobs:
            batch_id = arguments["batch_id"]
            match name.removeprefix("wangge:"):
                case "look_import":
                    running.run_look(self.engine, self.store, batch_id)
                case "check_import":
                    running.run_check(self.engine, self.store, batch_id, now=NOON)
                case "mend_import":
                    running.run_mend(self.engine, batch_id, arguments["numbers"], now=NOON)
                case "commit_import":
                    running.run_commit(self.engine, batch_id)
                case "undo_import":
                    running.run_undo(self.engine, batch_id)
        self.session.expire_all()

    def step(self, path: str, act: str, **form: str) -> Any:
        answer = self.client.post(f"{path}/{act}", data=form)
        self.work()
        return answer

    def page(self, path: str, lang: str = "zh") -> str:
        self.client.set_cookie("wangge_lang", lang)
        answer = self.client.get(path)
        assert answer.status_code == 200
        return str(answer.get_data(as_text=True))


@pytest.fixture
def desk(
    session: Session, connection: Connection, sign_in: Callable[..., Any], settings: Settings
) -> Desk:
    build_city(session)
    session.flush()
    return Desk(sign_in("steward"), session, connection, Store(settings.blob_dir))


def mapping(**more: str) -> dict[str, str]:
    return {"c.name": "设施名称", "c.kind": "设施类型", "c.lon": "经度", "c.lat": "纬度", "mode": "good",
            **more}  # fmt: skip


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", "不在可选的名单里"), ("en", "none of the words")]
)
def test_a_batch_goes_through_its_steps_by_its_page(desk: Desk, lang: str, words: str) -> None:
    path = desk.send()
    looked = desk.page(path, lang)
    assert "gb18030" in looked
    assert "13900000000" not in looked

    assert desk.step(path, "check", **mapping()).status_code == 303
    checked = desk.page(path, lang)
    assert words in checked
    assert "占卜馆" in checked

    desk.step(path, "commit")
    assert json.loads(desk.client.get(f"{path}/state").data) == {
        "state": "committed",
        "done": 2,
        "total": 2,
    }
    stored = desk.session.execute(text("SELECT name, area_code FROM facility ORDER BY name")).all()
    assert [tuple(row) for row in stored] == [
        ("一中", "339901001001001"), ("三中", "339901002001001")]  # fmt: skip
    assert "/registers/facility" in desk.page(path, lang)

    desk.step(path, "undo")
    assert desk.session.execute(text("SELECT count(*) FROM facility")).scalar() == 0
    desk.page(path, lang)
    assert "学校.csv" in desk.page("/data/imports", lang)


def test_the_report_can_be_mended_and_sent_again(desk: Desk) -> None:
    path = desk.send()
    desk.step(path, "check", **mapping())

    answer = desk.client.get(f"{path}/errors.csv")

    rows = list(csv.reader(io.StringIO(answer.data.decode("utf-8-sig"))))
    assert rows[0] == ["行号", "列", "内容", "规则", "原因", "设施名称", "设施类型", "经度", "纬度"]
    assert [(row[0], row[1], row[3]) for row in rows[1:]] == [
        ("3", "设施类型", "not_in_list"), ("4", "经度", "swapped")]  # fmt: skip
    assert rows[1][5].startswith("'=cmd")
    assert "(29.3, 120.05)" in rows[2][4]

    mended = (tuple(rows[0]), (*rows[2][:7], "120.05", "29.30"))
    again = desk.send(mended, source="jiaoyu")
    desk.step(again, "check", **mapping())
    assert desk.session.get_one(ImportBatch, int(again.rpartition("/")[2])).rows_new == 1


@pytest.mark.parametrize(("lang", "words"), [("zh", "手工更正"), ("en", "Put right by hand")])
def test_u43_wrong_cells_are_put_right_on_the_page_without_script(
    desk: Desk, lang: str, words: str
) -> None:
    path = desk.send((*ROWS[:2], ("二中", "占卜馆", "29.30", "120.05", "")))
    desk.step(path, "check", **mapping())
    shown = desk.page(path, lang)
    assert re.findall(r'name="(m\.[^"]+)"', shown) == ["m.3.kind", "m.3.lon", "m.3.lat"]
    assert shown.count(" autofocus") == 1
    assert words not in shown

    refused = desk.step(path, "mend", **{"m.3.kind": "学校", "m.3.name": "339901199001011234"})
    assert refused.status_code == 422
    assert 'value="学校"' in refused.get_data(as_text=True)
    nothing = desk.step(path, "mend", **{"m.3.kind": "占卜馆"})
    assert nothing.status_code == 422

    asked = desk.step(path, "mend", **{"m.3.kind": "学校", "m.3.lon": "120.05", "m.3.lat": "29.30"})

    assert asked.status_code == 303
    after = desk.page(path, lang)
    assert words in after
    assert " autofocus" not in after
    assert desk.session.get_one(ImportBatch, int(path.rpartition("/")[2])).rows_new == 2
    report = desk.client.get(f"{path}/errors.csv").data.decode("utf-8-sig")
    assert len(list(csv.reader(io.StringIO(report)))) == 4
    desk.step(path, "commit")
    assert desk.session.execute(text("SELECT count(*) FROM facility")).scalar() == 2


@pytest.mark.parametrize(
    ("lang", "words"), [("zh", "边界自相交"), ("en", "its border crosses itself")]
)
def test_r48_the_page_shows_what_repair_would_change_before_it_is_done(
    desk: Desk, lang: str, words: str
) -> None:
    bow_tie = "POLYGON((120.06 29.3, 120.0604 29.3004, 120.0604 29.3, 120.06 29.3004, 120.06 29.3))"
    path = desk.send((("编号", "建筑类型", "wkt"), ("B1", "住宅", bow_tie)), target="building")
    desk.step(
        path, "check", **{"c.own_id": "编号", "c.kind": "建筑类型", "c.wkt": "wkt", "mode": "good"}
    )

    shown = desk.page(path, lang)

    assert words in shown
    assert "120.060200, 29.300200" in shown
    assert 'name="on" value="1"' in shown
    outlines = json.loads(re.search(r'id="page-data">(.*?)</script>', shown)[1])["import"][
        "outlines"
    ]  # type: ignore[index]
    assert [len(one["after"]) for one in outlines] == [2]
    assert desk.step(path, "repair", on="1").status_code == 303
    again = desk.page(path, lang)
    assert 'name="on" value="0"' in again
    batch = desk.session.get_one(ImportBatch, int(path.rpartition("/")[2]))
    assert (batch.rows_new, batch.rows_rejected) == (1, 0)
    assert desk.step(path, "repair", on="1").status_code == 409
    desk.step(path, "commit")
    stored = desk.session.execute(
        text("SELECT ST_IsValid(geom), round(area_m2) FROM building")
    ).one()
    assert tuple(stored) == (True, 862)


def test_a_batch_can_be_read_otherwise(desk: Desk) -> None:
    path = desk.send((("甲",), *ROWS))

    answer = desk.step(path, "read", encoding="gb18030", head_row="2", crs="gcj02", delimiter="")

    assert answer.status_code == 303
    batch = desk.session.get_one(ImportBatch, int(path.rpartition("/")[2]))
    assert (batch.state, batch.look["columns"][0], batch.settings["crs"]) == (
        "looked",
        "设施名称",
        "gcj02",
    )


@pytest.mark.parametrize(
    ("act", "form"),
    [
        ("check", {"c.name": "没有这列", "mode": "good"}),
        ("check", {"c.name": "设施名称", "mode": "half"}),
        ("check", {"mode": "good"}),
        ("read", {"encoding": "ebcdic"}),
        ("read", {"crs": "EPSG:999999"}),
        ("read", {"delimiter": ",,"}),
        ("commit", {}),
        ("undo", {}),
        ("mend", {"m.3.kind": "学校"}),
        ("mend", {"m.x.kind": "学校"}),
        ("repair", {"on": "1"}),
    ],
)
def test_what_does_not_fit_is_said_on_the_page_and_changes_nothing(
    desk: Desk, act: str, form: dict[str, str]
) -> None:
    path = desk.send()

    answer = desk.step(path, act, **form)

    assert answer.status_code in (409, 422)
    assert 'class="form-error"' in answer.get_data(as_text=True)
    assert desk.session.get_one(ImportBatch, int(path.rpartition("/")[2])).state == "looked"


def test_a_source_needs_a_code_and_a_name(desk: Desk) -> None:
    answer = desk.client.post(
        "/data/imports", data={"code": "Ü", "name": "", "target": "facility",
                               "file": (io.BytesIO(b"a,b\n1,2\n"), "a.csv")},
        content_type="multipart/form-data",
    )  # fmt: skip

    assert answer.status_code == 422
    assert "form-error" in answer.get_data(as_text=True)


def test_persons_are_no_target(desk: Desk) -> None:
    answer = desk.client.post(
        "/data/imports", data={"code": "people", "name": "人", "target": "person",
                               "file": (io.BytesIO(b"a,b\n1,2\n"), "a.csv")},
        content_type="multipart/form-data",
    )  # fmt: skip

    assert answer.status_code == 404


def test_a_batch_of_another_area_is_not_there(desk: Desk, sign_in: Callable[..., Any]) -> None:
    path = desk.send()
    stranger = sign_in("steward", "339901001")

    assert stranger.get(path).status_code == 404
    assert stranger.get(f"{path}/errors.csv").status_code == 404
    assert stranger.post(f"{path}/commit").status_code == 404
    assert stranger.post(f"{path}/mend", data={"m.3.kind": "学校"}).status_code == 404
    assert "学校.csv" not in stranger.get("/data/imports").get_data(as_text=True)
    assert sign_in("planner").get("/data/imports").status_code == 403


def test_a_refused_file_says_why(desk: Desk) -> None:
    answer = desk.client.post(
        "/data/imports", data={"code": "jiu", "name": "旧表", "target": "facility",
                               "file": (io.BytesIO(b"\xd0\xcf\x11\xe0" + bytes(100)), "a.xls")},
        content_type="multipart/form-data",
    )  # fmt: skip
    desk.work()

    assert "另存为 .xlsx" in desk.page(answer.headers["Location"])
    assert "save it as .xlsx" in desk.page(answer.headers["Location"], "en")


def test_every_field_of_every_register_fits_the_form() -> None:
    names = {one.name for target in TARGETS.values() for one in target.fields}

    assert all(takes("imports.check", f"c.{name}") for name in names)
