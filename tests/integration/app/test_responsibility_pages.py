"""The pages of responsibility: rules by drafts, arbitration, precedents, moratoria."""

import re
from collections.abc import Callable
from datetime import UTC, datetime
from io import BytesIO

import pytest
from flask.testing import FlaskClient
from sqlalchemy.orm import Session

from grids.responsibility import versions
from grids.responsibility.seed import seed_matrix
from tests.support.cases import COUNTY, build_city

PAGES = ("rules", "arbitrations", "precedents", "moratoria")


@pytest.fixture
def city(session: Session) -> None:
    build_city(session)
    seed_matrix(session, now=datetime.now(UTC))


def token(client: FlaskClient, path: str = "/command/rules") -> str:
    found = re.search(r'name="csrf_token" value="([^"]+)"', client.get(path).get_data(as_text=True))
    assert found
    return found[1]


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("language", ["zh", "en"])
def test_pages_are_whole_in_both_languages(
    city: None, client: FlaskClient, sign_in: Callable[..., FlaskClient], page: str, language: str
) -> None:
    who = sign_in("commander", area=COUNTY)
    who.set_cookie("wangge_lang", language)

    answer = who.get(f"/command/{page}")

    text = answer.get_data(as_text=True)
    assert answer.status_code == 200
    assert not re.search(r">\s*responsibility\.[a-z_.]+\s*<", text)


def test_a_draft_is_made_changed_by_table_and_refused_before_its_trial(
    city: None, client: FlaskClient, sign_in: Callable[..., FlaskClient], session: Session
) -> None:
    who = sign_in("commander", area=COUNTY)
    csrf = token(who)
    made = who.post("/command/rules/drafts", data={"csrf_token": csrf, "name": "春季"})
    path = made.headers["Location"].partition("?")[0]
    table = (
        b"kind,category,area,owner,band,first,last,department,assisting,why,basis\n,,,,,,,D99,,x,\n"
    )

    bad = who.post(f"{path}/rules/0", data={"csrf_token": csrf, "kind": "matter", "category": "99"})
    sent = who.post(f"{path}/table", data={"csrf_token": csrf, "table": (BytesIO(table), "r.csv")})
    taken = who.get(f"{path}/table.csv")
    tried = who.post(f"{path}/trial", data={"csrf_token": csrf})

    assert made.status_code == 303
    assert bad.status_code == 422
    assert bad.get_data(as_text=True).count('class="field-error"') == 3
    assert sent.status_code == 422
    assert "bad-rows" in sent.get_data(as_text=True)
    assert taken.get_data(as_text=True).count("\r\n") > 50
    assert tried.status_code == 303
    assert "data-running" in who.get(path).get_data(as_text=True)
    assert len(versions.versions(session)) == 2


def test_a_rule_is_written_by_names_and_the_category_says_its_kind(
    city: None, client: FlaskClient, sign_in: Callable[..., FlaskClient], session: Session
) -> None:
    who = sign_in("commander", area=COUNTY)
    csrf = token(who)
    path = who.post("/command/rules/drafts", data={"csrf_token": csrf}).headers["Location"]
    path = path.partition("?")[0]
    form = who.get(f"{path}/rules/0").get_data(as_text=True)
    offered = re.search(r'<option value="(06\d{3} [^"]+)"[^>]*>', form)
    assert offered

    given = {"csrf_token": csrf, "department": "D04", "why": "夜间先行处置", "band": "night"}
    bad = who.post(f"{path}/rules/0", data={**given, "category": "没有这个类别"})
    saved = who.post(f"{path}/rules/0", data={**given, "category": offered[1].split()[1]})
    shown = who.get(saved.headers["Location"]).get_data(as_text=True)

    assert bad.status_code == 422
    assert "没有这个类别" in bad.get_data(as_text=True)
    assert saved.status_code == 303
    assert 'role="status"' in shown
    assert "夜间先行处置" in shown


@pytest.mark.parametrize("role", ["dispatcher", "town_seat", "shift_leader"])
def test_seats_read_the_rules_and_change_nothing(
    city: None, client: FlaskClient, sign_in: Callable[..., FlaskClient], role: str
) -> None:
    who = sign_in(role, area="339901001" if role == "town_seat" else COUNTY)
    csrf = token(who)

    text = who.get("/command/rules").get_data(as_text=True)
    made = who.post("/command/rules/drafts", data={"csrf_token": csrf})

    assert made.status_code == 403
    assert ("T339901002" in text or "2镇" in text) == (role != "town_seat")
