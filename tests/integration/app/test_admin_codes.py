"""The code lists of the system administrator: found, versions to come, files compared and loaded."""

import io
import re
from datetime import date, timedelta

import pytest
from sqlalchemy import func, select

from app.config import ROOT
from grids import codes
from grids.audit import AuditEvent
from grids.codes import Category, CategoryLimit, CategoryRule, CodeChange, CodeUpload
from grids.codes.carried import of
from tests.support import cases

ZH, EN = {"Accept-Language": "zh"}, {"Accept-Language": "en"}
SOON, LATER = (cases.today() + timedelta(days=days) for days in (10, 40))
LIMITS = ROOT / "data/codes/limits.csv"


@pytest.fixture
def admin(session, sign_in):
    cases.build_city(session)
    return sign_in("system_admin")


@pytest.fixture
def dumping(session):
    return category(session, "06010")


def category(session, code, kind="matter"):
    return session.scalar(
        select(Category).where(
            Category.code == code, Category.kind == kind, Category.code_system.like("GBT47678%")
        )
    )


def limit(admin, key, since=SOON, **more):
    values = {
        "urgency": "B",
        "area_kind": "",
        "value": "6",
        "unit": "work_hour",
        "department": "D02",
        "valid_from": since.isoformat(),
        "source": "本市规定",
        **more,
    }
    return admin.post(f"/admin/codes/{key}/limits", data=values, headers=ZH)  # fmt: skip


def rule(admin, key, since=SOON, **more):
    values = {"part": "question", "name": "night", "text_zh": "夜间吗？", "text_en": "At night?",
              "options": "yes|是|yes|2 work_hour\nno|否|no", "is_required": "1",
              "valid_from": since.isoformat(), "source": "本市规定", **more}  # fmt: skip
    return admin.post(f"/admin/codes/{key}/rules", data=values, headers=ZH)


def told(session, action):
    return session.scalars(select(AuditEvent).where(AuditEvent.action == action)).all()


@pytest.mark.parametrize(
    ("words", "code"), [("01037", "01037"), ("路灯", "01037"), ("ludeng", "01037"), ("ld", "01037")]
)
def test_a_category_is_found_by_code_word_pinyin_and_initials(admin, words, code):
    page = admin.get("/admin/codes", query_string={"q": words}, headers=ZH).text

    assert code in page


def test_without_words_the_list_in_force_stands_by_class(admin):
    page = admin.get("/admin/codes", headers=ZH).text
    english = admin.get("/admin/codes?kind=component", headers=EN).text

    assert page.count('class="code-of"') == 250
    assert "市容环卫" in page
    assert english.count('class="code-of"') == 153


def test_a_category_shows_versions_conversions_and_what_its_class_gives(admin, session, dumping):
    page = admin.get(f"/admin/codes/{dumping.id}", headers=ZH).text
    cover = admin.get(f"/admin/codes/{category(session, '01001', 'component').id}", headers=EN).text

    assert "4 工作小时" in page
    assert "现行" in page
    assert "CJT214-2007-A" in cover
    assert re.search(r"the same|by sense", cover)
    assert "codes." not in re.sub(r"(?:href|action)=\"[^\"]*\"", "", cover)


def test_a_new_limit_begins_on_its_day_and_the_past_stays(admin, session, dumping):
    before = of(session, dumping.id, cases.today()).limit("B")

    answer = limit(admin, dumping.id)

    assert answer.status_code == 303
    session.expire_all()
    assert of(session, dumping.id, SOON - timedelta(days=1)).limit("B") == before
    assert of(session, dumping.id, SOON).limit("B") == (6, "work_hour")
    assert len(told(session, "code_version_added")) == 1
    page = admin.get(f"/admin/codes/{dumping.id}", headers=ZH).text
    assert "待生效" in page
    assert "6 工作小时" in page


def test_a_version_between_two_lasts_until_the_next_and_withdrawing_heals_the_row(
    admin, session, dumping
):
    limit(admin, dumping.id, LATER, value="9")
    limit(admin, dumping.id, SOON, value="6")
    between = session.scalar(select(CategoryLimit).where(CategoryLimit.valid_from == SOON))
    assert between.valid_to == LATER

    answer = admin.post(f"/admin/codes/{dumping.id}/limits/{between.id}/withdraw")

    assert answer.status_code == 303
    session.expire_all()
    assert of(session, dumping.id, SOON).limit("B") == (4, "work_hour")
    assert of(session, dumping.id, LATER - timedelta(days=1)).limit("B") == (4, "work_hour")
    assert of(session, dumping.id, LATER).limit("B") == (9, "work_hour")
    assert len(told(session, "code_version_withdrawn")) == 1
    again = admin.post(f"/admin/codes/{dumping.id}/limits/{between.id}/withdraw", headers=ZH)
    assert again.status_code == 409


def test_what_holds_is_never_withdrawn_nor_another_category_reached(admin, session, dumping):
    now = session.scalar(
        select(CategoryLimit).where(
            CategoryLimit.category_id == dumping.id, CategoryLimit.valid_to.is_(None)
        )
    )
    other = category(session, "06012")

    held = admin.post(f"/admin/codes/{dumping.id}/limits/{now.id}/withdraw", headers=ZH)
    strange = admin.post(f"/admin/codes/{other.id}/limits/{now.id}/withdraw", headers=ZH)

    assert held.status_code == 409
    assert "已经生效" in held.text
    assert strange.status_code == 404


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"valid_from": cases.today().isoformat()}, "过去不改"),
        ({"valid_from": "soon"}, "请填写日期"),
        ({"value": "0"}, "大于零"),
        ({"value": "many"}, "大于零"),
        ({"unit": "moon"}, ""),
        ({"source": ""}, "请写明依据"),
        ({"department": "D99"}, "请从给出的选项中选择"),
    ],
)
def test_a_wrong_limit_is_refused_beside_its_field(admin, session, dumping, wrong, said):
    before = session.scalar(select(func.count()).select_from(CategoryLimit))

    answer = limit(admin, dumping.id, **wrong)

    assert answer.status_code == 422
    assert said in answer.text
    assert session.scalar(select(func.count()).select_from(CategoryLimit)) == before


def test_a_question_of_the_page_is_asked_from_its_day_on(admin, session, dumping):
    assert rule(admin, dumping.id).status_code == 303
    session.expire_all()

    names = [
        {one.name for one in of(session, dumping.id, day).questions}
        for day in (cases.today(), SOON)
    ]
    assert ["night" in found for found in names] == [False, True]
    assert of(session, dumping.id, SOON).limit("B", {"night": "yes"}) == (2, "work_hour")
    asked = codes.questions_of(session, "06010", SOON)
    with pytest.raises(codes.AnswerNeeded):
        codes.require_answers(asked, {})


@pytest.mark.parametrize(
    "wrong",
    [
        {"options": ""}, {"options": "yes|是"}, {"options": "a|甲|a;a|乙|b"}, {"name": ""},
        {"name": "夜"}, {"text_en": ""}, {"part": "poem"}, {"part": "notice"}, {"value": "3"},
        {"part": "target", "options": "", "value": ""},
    ],
)  # fmt: skip
def test_a_wrong_rule_is_refused(admin, session, dumping, wrong):
    answer = rule(admin, dumping.id, **wrong)

    assert answer.status_code == 422
    assert session.scalar(
        select(func.count()).where(CategoryRule.origin == "page")
    ) == 0  # fmt: skip


def test_a_notice_ends_on_a_day_to_come(admin, session):
    key = category(session, "06033").id
    row = session.scalar(
        select(CategoryRule).where(CategoryRule.category_id == key, CategoryRule.part == "notice")
    )

    past = admin.post(f"/admin/codes/{key}/rules/{row.id}/end", data={"until": "2020-02-02"})
    done = admin.post(f"/admin/codes/{key}/rules/{row.id}/end", data={"until": SOON.isoformat()})

    assert (past.status_code, done.status_code) == (422, 303)
    session.expire_all()
    assert len(of(session, key, SOON - timedelta(days=1)).notices) == 1
    assert of(session, key, SOON).notices == ()


def test_a_load_of_the_shipped_lists_leaves_what_the_page_planned(admin, session, dumping):
    limit(admin, dumping.id)

    done = codes.load(session, ROOT / "data/codes", on=LATER)

    assert done.changes == 0
    assert of(session, dumping.id, LATER).limit("B") == (6, "work_hour")


def send(admin, name, text, language=ZH, origin="city"):
    data = {"origin": origin, "files": [(io.BytesIO(text.encode()), name)]}
    answer = admin.post("/admin/codes/upload", data=data, content_type="multipart/form-data",
                        headers=language)  # fmt: skip
    answer.request.environ["wsgi.input"].close()
    return answer


def longer(text):
    return re.sub(r"(?m)^(GBT47678.5-2026,matter,06010,B),4,", r"\1,8,", text)


def test_files_are_compared_row_by_row_and_then_loaded_once(admin, session, dumping):
    sent = send(admin, "limits.csv", longer(LIMITS.read_text(encoding="utf-8")))
    assert sent.status_code == 303, sent.text
    seen = admin.get(sent.location, headers=ZH).text
    before = of(session, dumping.id, cases.today()).limit("B")

    loaded = admin.post(f"{sent.location}/load")
    again = admin.post(f"{sent.location}/load", headers=ZH)

    assert "GBT47678.5-2026 06010 B" in seen
    assert re.search(r'diff-was">4(?:\.0)?</span> → <strong>8(?:\.0)?</strong>', seen)
    assert (before, loaded.status_code, again.status_code) == ((4, "work_hour"), 303, 409)
    session.expire_all()
    assert of(session, dumping.id, cases.today()).limit("B") == (8, "work_hour")
    assert len(told(session, "codes_loaded")) == 1
    kept = session.scalars(select(CodeChange).where(CodeChange.key.contains("06010 B"))).all()
    assert any(one.detail.get("value") == [4.0, 8.0] for one in kept)
    assert "已装载" in admin.get(sent.location, headers=ZH).text


@pytest.mark.parametrize(
    ("row", "zh", "en"),
    [
        ("06010,B,0,work_hour,D02,x", "第 2 行，value 列：应大于零", "line 2, column value: is not above zero"),
        ("06010,Z,4,work_hour,D02,x", "第 2 行，urgency 列：“Z”不在可选值中", 'column urgency: "Z" is none of'),
        ("06010,B,4,moon,D02,x", "unit 列", "column unit"),
        ("06010,B,4,work_hour,,x", "department 列：不能为空", "column department: is empty"),
    ],
)  # fmt: skip
def test_a_wrong_row_is_named_by_line_and_field_in_both_languages(admin, session, row, zh, en):
    text = "code,urgency,value,unit,department,source\n" + row + "\n"

    chinese, english = send(admin, "limits.csv", text), send(admin, "limits.csv", text, EN)

    assert (chinese.status_code, english.status_code) == (422, 422)
    assert zh in chinese.text
    assert en.replace('"', "&#34;") in english.text or en in english.text
    assert session.scalar(select(func.count()).select_from(CodeUpload)) == 0


@pytest.mark.parametrize(
    ("name", "text", "origin"),
    [
        ("evil.csv", "a,b\n", "city"), ("../../limits.csv.sh", "a\n", "city"),
        ("limits.csv", "code\n", "page"), ("limits.csv", "code\n", "../x"),
        ("limits.csv", "x" * (1024 * 1024 + 2), "city"),
    ],
)  # fmt: skip
def test_other_files_and_false_origins_are_refused(admin, session, name, text, origin):
    assert send(admin, name, text, origin=origin).status_code == 422
    assert session.scalar(select(func.count()).select_from(CodeUpload)) == 0


def test_a_calendar_of_a_year_comes_as_a_file_and_asks_for_the_recomputation(admin, session):
    text = "day,is_workday,name_zh,name_en,source\n2027-01-01,0,元旦,New Year's Day,notice\n"
    # Of a list of days the file is the whole list of its origin: others stay.
    sent = send(admin, "workdays.csv", text)
    assert admin.post(f"{sent.location}/load").status_code == 303

    row = session.get(codes.Workday, date(2027, 1, 1))
    assert (row.is_workday, row.origin) == (False, "city")
    version = session.scalars(select(codes.CalendarVersion)).one()
    assert version.account_id == admin.account_id
    assert session.get(codes.Workday, date(2026, 10, 1)) is not None


@pytest.mark.parametrize("role", ["security_admin", "audit_admin", "commander"])
def test_nobody_else_sees_or_changes_them(session, sign_in, role):
    cases.build_city(session)
    other = sign_in(role)
    key = category(session, "06010").id

    answers = [other.get("/admin/codes"), other.get(f"/admin/codes/{key}"), limit(other, key),
               other.get("/admin/codes/upload")]  # fmt: skip

    assert {answer.status_code for answer in answers} == {403}


def test_what_is_not_there_is_not_found(admin):
    assert admin.get("/admin/codes/99999999").status_code == 404
    assert admin.get("/admin/codes/upload/99999999").status_code == 404
    assert limit(admin, 99999999).status_code == 404
