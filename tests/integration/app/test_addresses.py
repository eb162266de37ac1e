"""Addresses on pages and in answers: tried, checked in a list, asked and answered."""

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from grids.addressing.models import AddressQuestion
from tests.support.cases import EAST, WEST, WEST_GRID, build_city


@pytest.fixture
def doors(session: Session) -> Session:
    """Three doors in the west, one in the east."""
    build_city(session)
    for k, (street, number, at) in enumerate(
        (
            ("江滨路", "8号", WEST),
            ("江滨路", "12号", WEST),
            ("江南路", "8号", WEST),
            ("学院路", "3号", EAST),
        )
    ):
        session.execute(
            text(
                "INSERT INTO address (text, street, number, geom) VALUES (:text, :street, :number,"
                " ST_SetSRID(ST_MakePoint(:lon, :lat), 4490))"
            ),
            {"text": street + number, "street": street, "number": number,
             "lon": at[0] + 0.0001 * k, "lat": at[1]},
        )  # fmt: skip
    session.flush()
    return session


def test_a_text_is_read_and_found(doors: Session, sign_in: Callable[..., Any]) -> None:
    client = sign_in("steward")

    found = client.get("/api/addresses", query_string={"q": "江宾路十二號(近桥)"}).get_json()
    page = client.get("/data/addresses", query_string={"q": "江宾路十二號<b>"}).get_data(
        as_text=True
    )

    assert (found["verdict"], found["items"][0]["text"]) == ("sure", "江滨路12号")
    assert [part["level"] for part in found["parts"]] == ["street", "number", "note"]
    assert {"level": "street", "how": "sound", "said": "", "found": "江滨路"} in found["items"][0][
        "reasons"
    ]
    assert "江滨路12号" in page
    assert "&lt;b&gt;" in page
    assert "號<b>" not in page


def test_a_point_gives_its_address_and_a_bad_one_is_refused(
    doors: Session, sign_in: Callable[..., Any]
) -> None:
    client = sign_in("worker", WEST_GRID)

    here = client.get("/api/addresses/at", query_string={"lon": EAST[0], "lat": EAST[1]}).get_json()

    assert here["items"][0]["text"] == "学院路3号"
    assert here["levels"].keys() == {"county", "town", "community"}
    for query in (
        {},
        {"lon": "x", "lat": "1"},
        {"lon": "nan", "lat": "1"},
        {"lon": "999", "lat": "1"},
    ):
        assert client.get("/api/addresses/at", query_string=query).status_code == 422
    assert client.get("/api/addresses").status_code == 422


def test_a_list_is_checked_and_its_file_runs_no_formula(
    doors: Session, sign_in: Callable[..., Any]
) -> None:
    client = sign_in("steward")
    lines = "江滨路8号\n=HYPERLINK(1)\n北京市海淀区中关村大街27号"

    page = client.post("/data/addresses/list", data={"lines": lines, "act": "show"})
    file = client.post("/data/addresses/list", data={"lines": lines, "act": "file"})

    assert page.status_code == 200
    rows = file.get_data(as_text=True).splitlines()
    assert rows[0].startswith("\ufeffline,text,verdict,score,address,code")
    assert rows[1].startswith("1,江滨路8号,sure,1.000,江滨路8号,3399")
    assert rows[2].startswith("2,'=HYPERLINK(1),none")
    assert rows[3].startswith("3,北京市海淀区中关村大街27号,outside")
    assert client.post("/data/addresses/list", data={"lines": " "}).status_code == 422


def test_an_uncertain_text_is_asked_and_answered_on_the_phone_once(
    doors: Session, sign_in: Callable[..., Any]
) -> None:
    steward, worker = sign_in("steward"), sign_in("worker", WEST_GRID)
    steward.post("/data/addresses/list", data={"lines": "江X路8号", "act": "ask"})
    question = doors.scalars(select(AddressQuestion)).one()
    wanted = next(one["id"] for one in question.candidates if one["text"] == "江南路8号")
    path = f"/worker/addresses/{question.id}"

    assert "江X路8号" in worker.get("/worker/addresses").get_data(as_text=True)
    assert "/worker/addresses" in worker.get("/worker/").get_data(as_text=True)
    assert "江X路8号" in steward.get("/data/address-questions").get_data(as_text=True)
    assert sign_in("worker", "339901002").post(path, data={"answer": "none"}).status_code == 404
    assert worker.post(path, data={"answer": "1"}).status_code == 422
    assert worker.post(path, data={"answer": str(wanted)}).status_code == 303
    assert worker.post(path, data={"answer": "none"}).status_code == 409

    found = steward.get("/api/addresses", query_string={"q": "江X路8號"}).get_json()
    assert (found["verdict"], found["items"][0]["text"]) == ("sure", "江南路8号")
