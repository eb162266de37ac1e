"""The working calendar of the system administrator: seen, drafted, looked at, made, told."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import func, select, text

from grids import reminders
from grids.accounts import Account
from grids.audit import AuditEvent
from grids.codes import CalendarDraft, CalendarVersion, Workday
from tests.support import cases

ZH, EN = {"Accept-Language": "zh"}, {"Accept-Language": "en"}
STORM = {"part": "days", "first": "2026-03-05", "last": "2026-03-06", "what": "off",
         "name_zh": "台风停工", "name_en": "Storm", "reason": "市政府通知"}  # fmt: skip


@pytest.fixture
def desk(session):
    cases.build_city(session)
    return cases.Desk(session, cases.make_staff(session))


@pytest.fixture
def admin(desk, sign_in):
    return sign_in("system_admin")


def drafted(admin, **more):
    answer = admin.post("/admin/calendar/drafts", data={**STORM, **more}, headers=ZH)
    assert answer.status_code == 303, answer.text
    return answer.location


def jobs_named(session, name):
    return session.scalar(
        text("SELECT count(*) FROM procrastinate_jobs WHERE task_name = :name"),
        {"name": f"wangge:{name}"},
    )


def work(session):
    """Do what the worker does with the latest draft."""
    draft = session.scalar(select(func.max(CalendarDraft.id)))
    reminders.look_ahead(session, draft, datetime(2026, 3, 4, 4, tzinfo=UTC))
    session.flush()


def test_a_year_shows_holidays_and_make_up_days_by_word_and_sign(admin):
    page = admin.get("/admin/calendar?year=2026", headers=ZH).text
    english = admin.get("/admin/calendar?year=2026", headers=EN).text

    assert page.count('<table class="month">') == 12
    assert re.search(
        r'cell-holiday[^>]*day=2026-02-17#change"[^>]*春节[^>]*><b>17</b><i>休</i>', page
    )
    assert re.search(r'cell-makeup[^>]*day=2026-02-14#change"[^>]*><b>14</b><i>班</i>', page)
    assert "cell-rest" in page
    assert "Make-up working day" in english
    assert "calendar." not in re.sub(
        r"<script.*?</script>|href=\"[^\"]*\"", "", english, flags=re.DOTALL
    )


@pytest.mark.parametrize("year", ["2031", "0", "99999", "x", "2003"])
def test_a_year_without_a_notice_is_told_and_nonsense_is_this_year(admin, year):
    page = admin.get(f"/admin/calendar?year={year}", headers=ZH)

    assert page.status_code == 200
    assert ("还没有 2031 年的放假安排" in page.text) == (year == "2031")


def test_a_chosen_day_fills_the_form_in_with_its_opposite(admin):
    page = admin.get("/admin/calendar?year=2026&day=2026-05-01", headers=ZH).text

    assert 'name="first" type="date" required value="2026-05-01"' in page
    assert re.search(r'value="work" required checked', page)


def test_a_change_is_looked_at_before_it_is_made(admin, desk, session):
    case = desk.submit()
    desk.take_to(case, "handling")

    where = drafted(admin)
    waiting = admin.get(where, headers=ZH).text
    stored = session.scalar(select(func.count()).where(Workday.name == "台风停工"))
    work(session)
    seen = admin.get(where, headers=ZH).text

    assert stored == 0
    assert "正在逐件推算" in waiting
    assert "确认修改" not in waiting
    assert jobs_named(session, "look_ahead") == 1
    assert re.search(r"<b>1</b><span>件的时限会移动", seen)
    assert "2026-03-05" in seen
    assert "确认修改" in seen


def test_making_it_writes_the_days_tells_the_log_and_asks_for_the_recomputation(admin, session):
    where = drafted(admin)
    work(session)

    made = admin.post(f"{where}/make")
    again = admin.post(f"{where}/make")

    assert (made.status_code, again.status_code) == (303, 303)
    days = session.scalars(
        select(Workday).where(Workday.name == "台风停工").order_by(Workday.day)
    ).all()
    assert [(row.day.isoformat(), row.is_workday, row.origin) for row in days] == [
        ("2026-03-05", False, "page"), ("2026-03-06", False, "page"),
    ]  # fmt: skip
    assert session.scalar(select(func.count()).select_from(CalendarVersion)) == 1
    assert jobs_named(session, "recompute_limits") == 1
    (told,) = session.scalars(
        select(AuditEvent).where(AuditEvent.action == "calendar_changed")
    ).all()
    assert (told.actor_id, told.detail["days"]) == (admin.account_id, 2)
    history = admin.get("/admin/calendar?year=2026", headers=ZH).text
    assert "市政府通知" in history
    assert session.get_one(Account, admin.account_id).name in history.partition("市政府通知")[0]
    assert "正在重算" in history
    assert "is-ours" in history


def test_it_asks_for_a_fresh_proof(admin, session):
    where = drafted(admin)
    work(session)
    session.execute(text("UPDATE sign_in_session SET confirmed_at = now() - interval '1 hour'"))

    answer = admin.post(f"{where}/make", headers={"Accept": "application/json"})

    assert answer.status_code in (401, 403)
    assert answer.json["code"] == "sign_in.step_up"
    assert session.scalar(select(func.count()).select_from(CalendarVersion)) == 0


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"first": "soon"}, "请填写 2004 至 2099 年间的日期"),
        ({"last": "2026-03-01"}, "结束日期早于开始日期"),
        ({"last": "2026-12-01"}, "一次最多改 62 天"),
        ({"what": "holiday"}, "请从给出的选项中选择"),
        ({"reason": ""}, "请写明依据或原因"),
        ({"first": "2026-10-01", "last": "2026-10-01", "what": "off", "name_zh": "国庆节",
          "name_en": "National Day"}, "已经是这样"),
        ({"part": "seed", "seed": "1999"}, "没有这一年"),
        ({"part": "hours", "kind": "office", "since": "2027-05-01", "opens_1": "12:00",
          "closes_1": "09:00"}, "结束要晚于开始"),
        ({"part": "hours", "kind": "office", "since": "2027-05-01", "opens_1": "noon"},
         "请填写时间"),
        ({"part": "week"}, "请从给出的选项中选择"),
    ],
)  # fmt: skip
def test_what_is_wrong_stands_beside_its_field_and_nothing_is_kept(admin, session, wrong, said):
    answer = admin.post("/admin/calendar/drafts", data={**STORM, **wrong}, headers=ZH)

    assert answer.status_code == 422
    assert said in answer.text
    assert session.scalar(select(func.count()).select_from(CalendarDraft)) == 0


def test_hours_and_a_year_of_the_shipped_list_go_the_same_way(admin, session):
    session.execute(text("DELETE FROM workday WHERE day BETWEEN '2026-05-01' AND '2026-05-05'"))
    hours = drafted(admin, part="hours", kind="office", since="2027-05-01", opens_1="08:30",
                    closes_1="12:00", opens_2="14:30", closes_2="18:00")  # fmt: skip
    assert "14:30–18:00" in admin.get(hours, headers=ZH).text
    work(session)
    assert admin.post(f"{hours}/make").status_code == 303

    year = drafted(admin, part="seed", seed="2026")
    page = admin.get(year, headers=ZH).text

    assert page.count("day-holiday") >= 3  # 1 to 5 May, two of them on a weekend
    assert "2026-06-19" not in page  # agrees already
    assert "14:30–18:00" in admin.get("/admin/calendar", headers=ZH).text


@pytest.mark.parametrize("role", ["security_admin", "audit_admin", "dispatcher"])
def test_nobody_else_sees_or_changes_it(desk, sign_in, role):
    other = sign_in(role)

    assert other.get("/admin/calendar").status_code == 403
    assert other.post("/admin/calendar/drafts", data=STORM).status_code == 403


def test_a_draft_that_is_none_is_not_found(admin):
    assert admin.get("/admin/calendar/drafts/999999").status_code == 404
    assert admin.post("/admin/calendar/drafts/999999/make").status_code == 404
