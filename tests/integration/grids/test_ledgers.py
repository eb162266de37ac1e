"""One visit, all ledgers: what is asked once, kept once, written back, and read by each department."""

import shutil
from datetime import timedelta
from uuid import uuid4

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.config import ROOT
from grids.errors import NotFound
from grids.flows.errors import NotYourStep, OtherContent
from grids.ledgers import burden, feedback, forms, loading, subjects, tables, visits
from grids.ledgers.errors import BadForm, Forbidden, Missing, NoLedger, PersonalText, SamePerson
from grids.ledgers.visits import Sent
from tests.support.cases import COUNTY, EAST, EAST_GRID, build_city
from tests.support.flows import FIRE, make_actor
from tests.support.ledgers import Round, make_home, make_restaurant

LINES = ("small_fire", "work_safety", "environment")


@pytest.fixture
def walk(session: Session) -> Round:
    build_city(session)
    return Round(session, make_actor(session, "worker"))


def ledger_rows(walk: Round, code: str, **more):
    county = more.pop("who", None) or make_actor(walk.session, "commander")
    found = tables.ledger(walk.session, county, code)
    return [
        row.values
        for row in tables.rows(walk.session, county, found, as_of=more.get("as_of", walk.now))
    ]


def test_a_question_of_three_lines_is_asked_once(walk: Round) -> None:
    shop = make_restaurant(walk.session)

    items = walk.sheet("premises", shop, *LINES)

    keys = [item.question.key for item in items]
    assert len(keys) == len(set(keys))
    (area,) = (item for item in items if item.question.key == "premises.floor_area")
    assert [form.form for form in area.forms] == list(LINES)


def test_three_ledgers_of_one_visit_equal_three_filled_by_hand(walk: Round) -> None:
    """The same shop once by one visit, once by three visits of one line each that reuse nothing."""
    said = {
        "premises__floor_area": 86, "premises__staff": 4, "premises__gas": "bottled",
        "premises__chemicals": "yes", "premises__fume": "off", "small_premises__S07": "failed",
    }  # fmt: skip
    shop = make_restaurant(walk.session)

    walk.visit("premises", shop, *LINES, **said)
    together = {code: ledger_rows(walk, code) for code in ("fire", "work_safety", "environment")}
    walk.session.execute(text("DELETE FROM observation"))
    for line in LINES:
        values = walk.visit("premises", shop, line, **said)
        assert values.is_new
        # By hand each line writes its own sheet: nothing of the one before is known to it.
        walk.session.execute(text("UPDATE observation SET subject = :l WHERE subject = 'premises'"),
                             {"l": line})  # fmt: skip
    apart = {}
    for line, code in zip(LINES, together, strict=True):
        walk.session.execute(text("UPDATE observation SET subject = 'premises' WHERE subject = :l"),
                             {"l": line})  # fmt: skip
        apart[code] = ledger_rows(walk, code)
        walk.session.execute(
            text("UPDATE observation SET subject = 'gone' WHERE subject = 'premises'")
        )

    assert together == apart
    assert all(len(rows) == 1 and None not in rows[0][:6] for rows in together.values())


def test_an_answer_inside_its_validity_is_shown_and_not_asked(walk: Round) -> None:
    shop = make_restaurant(walk.session)
    walk.visit("premises", shop, "small_fire", premises__floor_area=86)
    walk.now += timedelta(days=30)

    items = {item.question.key: item for item in walk.sheet("premises", shop, "work_safety")}

    area, open_ = items["premises.floor_area"], items["premises.operating"]
    assert area.known is not None
    assert (area.known.value, area.known.by) == (86, walk.worker.name)
    assert open_.known is None  # valid for 25 days only
    assert open_.last is not None
    again = walk.visit("premises", shop, "work_safety")
    assert again.body["reused"] >= 3


def test_still_so_keeps_the_answer_with_a_new_date(walk: Round) -> None:
    shop = make_restaurant(walk.session)
    walk.visit("premises", shop, "shop_front")
    walk.now += timedelta(days=31)
    (version,) = (form.version_id for form in walk.forms("shop_front"))
    keys = [item.question.key for item in walk.sheet("premises", shop, "shop_front")]

    sent = Sent(uuid4(), "premises", shop, (version,), {}, frozenset(keys), done_at=walk.now)
    visits.record(walk.session, sent, walk.worker, now=walk.now)

    seen = walk.session.execute(
        text("SELECT DISTINCT source, observed_at FROM observation ORDER BY observed_at")
    ).all()
    assert [row.source for row in seen] == ["visit", "confirmed"]


def test_the_same_visit_again_is_the_same_answer_and_another_body_is_refused(walk: Round) -> None:
    shop, key = make_restaurant(walk.session), uuid4()
    (version,) = (form.version_id for form in walk.forms("environment"))
    values = walk.answers("premises", shop, "environment")
    sent = Sent(key, "premises", shop, (version,), values)

    first = visits.record(walk.session, sent, walk.worker, now=walk.now)
    again = visits.record(walk.session, sent, walk.worker, now=walk.now)

    assert (first.body, first.is_new, again.is_new) == (again.body, True, False)
    other = Sent(key, "premises", shop, (version,), {**values, "premises.floor_area": 99})
    with pytest.raises(OtherContent):
        visits.record(walk.session, other, walk.worker, now=walk.now)
    assert walk.session.scalar(text("SELECT count(*) FROM visit")) == 1


def test_a_visit_needs_every_answer_that_applies_and_photos_where_told(walk: Round) -> None:
    shop = make_restaurant(walk.session)
    (version,) = (form.version_id for form in walk.forms("environment"))
    values = walk.answers("premises", shop, "environment")

    for broken in (
        {key: value for key, value in values.items() if key != "premises.noise"},
        {**values, "premises.fume": "off"},  # needs a photo
        {**values, "premises.chemicals": "yes"},  # then the amount is asked
    ):
        with pytest.raises(Missing):
            visits.record(walk.session, Sent(uuid4(), "premises", shop, (version,), broken),
                          walk.worker, now=walk.now)  # fmt: skip
    with pytest.raises(PersonalText):
        walk.visit("premises", shop, "environment", premises__chemicals="yes",
                   premises__chemicals_amount="找老王 13800138000")  # fmt: skip


def test_what_registers_know_is_written_back_with_what_stood_there(walk: Round) -> None:
    shop = make_restaurant(walk.session)
    walk.session.execute(text("UPDATE premises SET floor_area_m2 = 60"))

    walk.visit("premises", shop, "environment", premises__floor_area=86)

    assert walk.session.scalar(text("SELECT floor_area_m2 FROM premises")) == 86
    kept = walk.session.scalar(
        text("SELECT replaced FROM observation WHERE question = 'premises.floor_area'")
    )
    assert kept == {"was": "60"}


def test_a_failed_item_of_a_check_list_opens_a_hazard(walk: Round) -> None:
    shop = make_restaurant(walk.session)

    done = walk.visit("premises", shop, "small_fire", small_premises__S12="failed")

    rows = walk.session.execute(text("SELECT id::text, severity, premises_id FROM hazard")).all()
    assert [tuple(row) for row in rows] == [(done.body["hazards"][0], "major", shop)]


def test_nobody_visits_outside_the_own_area(walk: Round) -> None:
    far = make_restaurant(walk.session, EAST)
    seat = make_actor(walk.session, "town_seat")

    with pytest.raises(NotFound):
        subjects.subject_of(walk.session, walk.worker, "premises", far)
    with pytest.raises(NotYourStep):
        walk.visit("premises", make_restaurant(walk.session), "environment", who=seat)


def test_service_needs_are_for_the_own_grid_alone(walk: Round) -> None:
    home = make_home(walk.session)
    walk.visit("household", home, "household_service", household__needs=["alone70"])
    leader = make_actor(walk.session, "grid_leader")
    one = subjects.subject_of(walk.session, leader, "household", home)

    assert set(visits.known_of(walk.session, walk.worker, one)) >= {"household.needs"}
    assert visits.known_of(walk.session, leader, one) == {}
    (form,) = walk.forms("household_service")
    assert not visits.may_serve(leader, form, one.area_code)


def test_what_is_due_comes_nearest_first_and_is_gone_after_the_visit(walk: Round) -> None:
    near, far = make_restaurant(walk.session), make_restaurant(walk.session, (120.06, 29.30))
    here = (120.061, 29.30)
    live = forms.live(walk.session, walk.now.date(), "premises")

    def listed():
        found = subjects.due(walk.session, walk.worker, live, now=walk.now, near=here)
        return [one.subject.id for one in found]

    assert listed() == [far, near]
    walk.visit("premises", far, *LINES, "shop_front")
    assert listed() == [near]
    walk.now += timedelta(days=91)
    assert listed() == [far, near]


def test_a_department_sees_the_ledgers_of_its_own_line(walk: Round) -> None:
    brigade = make_actor(walk.session, "handler", COUNTY, FIRE)

    assert [one.code for one in tables.ledgers(walk.session, brigade)] == ["fire"]
    with pytest.raises(NoLedger):
        tables.ledger(walk.session, brigade, "environment")


def test_a_ledger_can_be_made_as_of_a_day(walk: Round) -> None:
    shop, before = make_restaurant(walk.session), walk.now
    walk.visit("premises", shop, "environment", premises__noise="none")
    walk.now += timedelta(days=91)
    walk.visit("premises", shop, "environment", premises__noise="night")

    def noise(as_of):
        return [row[7 - 1] for row in ledger_rows(walk, "environment", as_of=as_of)]

    assert noise(before - timedelta(days=1)) == []
    assert noise(before + timedelta(days=1)) == noise(before)
    (then,), (now,) = (
        ledger_rows(walk, "environment", as_of=before),
        ledger_rows(walk, "environment"),
    )
    assert ("none" in then, "night" in now) == (True, True)


def test_a_line_is_added_by_configuration_alone(walk: Round, tmp_path) -> None:
    """A new department: its line, one new question, a form with tasks, a ledger; only rows."""
    shipped = ROOT / "data/codes/forms"
    for name in ("lines", "questions", "forms", "ledgers"):
        head = (shipped / f"{name}.csv").read_text(encoding="utf-8").splitlines()[0]
        (tmp_path / f"{name}.csv").write_text(head + "\n", encoding="utf-8")

    def add(name: str, row: str) -> None:
        with (tmp_path / f"{name}.csv").open("a", encoding="utf-8") as stream:
            stream.write(row + "\n")

    add("lines", "water,水务,Water,D07,20")
    add(
        "questions",
        "premises.meter,1,premises,number,水表读数,Reading of the water meter,,,123,m³,,min=0 max=1000000,25,L2,",
    )
    add(
        "forms",
        "water_use,water,用水巡查,Water use,premises,restaurant,30,premises.operating premises.meter,test",
    )
    add(
        "ledgers",
        "water,water,用水台账,Water ledger,premises,restaurant,365,名称/Name=r:name|读数/Reading=q:premises.meter,20",
    )
    author, approver = make_actor(walk.session, "handler"), make_actor(walk.session, "commander")
    shop = make_restaurant(walk.session)

    assert loading.load(walk.session, tmp_path, on=walk.now.date()) == 4
    assert loading.load(walk.session, tmp_path, on=walk.now.date()) == 0
    (draft,) = forms.versions(walk.session, "water_use")
    assert (draft.status, walk.forms("water_use")) == ("draft", [])
    forms.submit(walk.session, draft.id, author, live_from=walk.now.date(), cost={}, now=walk.now)
    with pytest.raises(SamePerson):
        forms.decide(walk.session, draft.id, author, is_approved=True, now=walk.now)
    forms.decide(walk.session, draft.id, approver, is_approved=True, now=walk.now)

    due = subjects.due(walk.session, walk.worker, walk.forms("water_use"), now=walk.now)
    assert [one.subject.id for one in due] == [shop]
    walk.visit("premises", shop, "water_use", premises__meter=512)
    assert ledger_rows(walk, "water") == [("江滨小店", 512)]


def test_a_form_that_asks_what_must_not_be_collected_is_refused(walk: Round, tmp_path) -> None:
    head = (ROOT / "data/codes/forms/questions.csv").read_text(encoding="utf-8").splitlines()[0]
    (tmp_path / "questions.csv").write_text(
        f"{head}\nhousehold.faith,1,household,text,户主的宗教信仰,Faith of the household,,,,,,,365,L3,\n",
        encoding="utf-8",
    )

    with pytest.raises(Forbidden) as refused:
        loading.load(walk.session, tmp_path, on=walk.now.date())

    assert refused.value.params["subject"] == "religion"


def test_a_ledger_cannot_hold_service_needs(walk: Round, tmp_path) -> None:
    shutil.copy(ROOT / "data/codes/forms/ledgers.csv", tmp_path)
    with (tmp_path / "ledgers.csv").open("a", encoding="utf-8") as stream:
        stream.write(
            "needs,civil,需求台账,Needs,household,,365,户/Home=r:name|需求/Needs=q:household.needs,30\n"
        )

    with pytest.raises(BadForm):
        loading.load(walk.session, tmp_path, on=walk.now.date())


def test_old_answers_say_which_version_they_were_given_to(walk: Round) -> None:
    shop = make_restaurant(walk.session)
    walk.visit("premises", shop, "environment")
    (old,) = forms.versions(walk.session, "environment")
    author, approver = make_actor(walk.session, "intake"), make_actor(walk.session, "commander")
    items = tuple((item["key"], item["no"], None) for item in old.items[:4])
    draft = forms.Draft("environment", old.line, "环保巡查（简）", "Short", "premises",
                        ("restaurant",), 90, items)  # fmt: skip
    new = forms.save(walk.session, draft, author, now=walk.now)
    tomorrow = walk.now.date() + timedelta(days=1)
    forms.submit(walk.session, new.id, author, live_from=tomorrow, cost={}, now=walk.now)
    forms.decide(walk.session, new.id, approver, is_approved=True, now=walk.now)

    before, after = forms.read(walk.session, [old, new])
    assert {one.change for one in forms.difference(before, after)} == {"removed"}
    assert [form.no for form in walk.forms("environment")] == [1]
    walk.now += timedelta(days=91)
    assert [form.no for form in walk.forms("environment")] == [2]
    given_to = walk.session.scalars(text("SELECT DISTINCT version_id FROM observation")).all()
    assert given_to == [old.id]
    assert len(forms.read(walk.session, [old])[0].items) == len(old.items)


def test_the_meter_tells_nothing_of_fewer_than_five_workers(walk: Round) -> None:
    since, until = walk.now - timedelta(days=1), walk.now + timedelta(days=1)
    boss = make_actor(walk.session, "commander")
    for n in range(5):
        worker = make_actor(walk.session, "worker")
        walk.visit("premises", make_restaurant(walk.session), "environment", who=worker)
        (found,) = burden.meter(walk.session, boss, since=since, until=until)
        assert (found.visits is None) == (n < 4)

    assert found.visits == 5
    assert found.asked == 6


def test_a_worker_learns_which_answers_did_not_stand(walk: Round) -> None:
    shop = make_restaurant(walk.session)
    walk.visit("premises", shop, "environment", premises__wastewater="sewer")
    walk.now += timedelta(days=10)
    other = make_actor(walk.session, "worker")
    (version,) = (form.version_id for form in walk.forms("environment"))
    sent = Sent(uuid4(), "premises", shop, (version,),
                {"premises.wastewater": "sewer", "premises.noise": "night"})  # fmt: skip
    values = walk.answers("premises", shop, "environment")
    visits.record(walk.session, Sent(sent.id, *(getattr(sent, n) for n in (
        "subject", "subject_id", "versions")), {**values, **sent.answers}, done_at=walk.now),
        other, now=walk.now)  # fmt: skip

    told = feedback.own(walk.session, walk.worker, now=walk.now)

    assert (told.looked_at, told.stood) == (2, 1)
    assert [(c.question, c.given, c.found) for c in told.corrections] == [
        ("premises.noise", "none", "night")
    ]
    assert feedback.own(walk.session, other, now=walk.now).looked_at == 0


def test_the_cost_of_a_form_counts_only_what_others_do_not_ask(walk: Round) -> None:
    for _ in range(3):
        make_restaurant(walk.session)
    make_restaurant(walk.session, EAST)
    boss = make_actor(walk.session, "commander")
    (old,) = forms.versions(walk.session, "environment")
    (form,) = forms.read(walk.session, [old])

    same = burden.cost_of(walk.session, boss, form, now=walk.now, on=walk.now.date())

    assert same.hours == 0
    assert [(town.town, town.subjects) for town in same.towns] == [
        ("339901001", 3), (EAST_GRID[:9], 1)]  # fmt: skip
