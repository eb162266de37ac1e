"""A round with the phone: one sheet for all lines, in a tunnel too, and what the ledgers show."""

import psycopg
import pytest
from playwright.sync_api import Page, expect
from psycopg.types.json import Jsonb

from tests.support import faces
from tests.support.browser import shoot, sign_in

SMALL_PHONE = {"viewport": {"width": 360, "height": 640}}


@pytest.fixture
def area(city_server):
    return city_server.login("worker")["area"]


@pytest.fixture
def spot(city_server, area):
    return faces.spot_in(city_server, area)


@pytest.fixture
def shops(city_server, area):
    """Keys of premises in the worker's grid that several lines visit."""
    with psycopg.connect(city_server.settings.owner_url) as conn:
        rows = conn.execute(
            "SELECT id FROM premises WHERE area_code ^@ %s AND valid_to IS NULL"
            " AND kind IN ('restaurant', 'workshop', 'shop', 'hotel', 'beauty')"
            " AND NOT EXISTS (SELECT FROM visit WHERE subject = 'premises' AND subject_id = premises.id)"
            " ORDER BY kind <> 'restaurant', id LIMIT 3",
            (area,),
        ).fetchall()
    return [row[0] for row in rows]


def fill(page: Page) -> None:
    """Answer everything that is still open, with the first choice or something usual."""
    page.locator("#burden strong").wait_for()
    for box in page.locator(".visit > fieldset").all():
        if not box.is_visible():
            continue
        if box.locator(".choice").count():
            if not box.locator("input:checked").count():
                box.locator(".choice").first.tap()
        elif box.locator("input[type=file]").count():
            box.locator("input[type=file]").set_input_files(faces.photo_file(2))
            box.locator("img").wait_for()
        else:
            box.locator("input").first.fill("12")


def asked_for(page: Page, path: str) -> None:
    """Open the round with a network, so that the phone keeps its package and its shell."""
    page.goto(path)
    expect(page.locator("#package-state.strip-ok")).to_be_visible()
    page.wait_for_function("() => navigator.serviceWorker.controller")


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_a_sheet_fits_a_small_phone(new_page, spot, shops, language, look):
    page = new_page(
        role="worker", phone=True, locale=language, color_scheme=look,
        **SMALL_PHONE, **faces.at_spot(*spot),
    )  # fmt: skip
    page.goto(f"/worker/visits/premises/{shops[-1]}?all=1")
    page.locator("#burden strong").wait_for()
    shoot(page, f"visit-{language[:2]}-{look}", full=True)

    assert [*faces.too_wide(page), *faces.too_small(page), *faces.bare_keys(page),
            *faces.faults(page)] == []  # fmt: skip


def test_a_visit_made_in_a_tunnel_arrives_once_the_network_is_back(
    new_page, city_server, spot, shops
):
    page = new_page(role="worker", phone=True, **faces.at_spot(*spot))
    asked_for(page, "/worker/visits")
    shoot(page, "visits-online")
    page.context.set_offline(True)

    page.goto("/worker/visits")
    page.locator("#offline-rows .row").first.wait_for()
    shoot(page, "visits-offline")
    page.goto(f"/worker/visits/premises/{shops[0]}")
    fill(page)
    shoot(page, "visit-filled", full=True)
    page.locator("#send").tap()
    expect(page.locator("#visit-done")).to_have_attribute("data-state", "kept")
    expect(page.locator("#waiting")).to_contain_text("1 次走访没有发出去")
    shoot(page, "visit-kept")
    assert seen_of(city_server, shops[0]) == 0

    page.goto("/worker/")  # another page of the application, still in the tunnel
    expect(page.locator("#outbox li")).to_have_count(1)
    page.context.set_offline(False)
    expect(page.locator("#waiting")).to_contain_text("服务器已收到")
    expect(page.locator("#outbox li")).to_have_count(0)
    assert seen_of(city_server, shops[0]) > 10
    page.goto("/worker/visits/mine")
    expect(page.locator(".row").first).to_contain_text("题")
    shoot(page, "visits-mine")

    for role, department, ledger in (("handler", "D09", "fire"), ("handler", "D08", "environment"),
                                     ("commander", None, "work_safety")):  # fmt: skip
        desk = new_page()
        sign_in(desk, city_server, role, department)
        desk.goto("/desk/ledgers")
        desk.locator(f"a[href='/desk/ledgers/{ledger}']").click()
        desk.locator(f"a[href='/desk/ledgers/{ledger}/{shops[0]}']").wait_for()
        shoot(desk, f"ledger-{ledger}", full=True)
        assert faces.faults(desk) == []
    desk.locator(f"a[href='/desk/ledgers/work_safety/{shops[0]}']").click()
    expect(desk.locator(".ledger-origins")).to_contain_text("小微单位安全生产巡查")
    shoot(desk, "ledger-entry", full=True)
    assert faces.faults(desk) == []


def seen_of(city_server, shop: int) -> int:
    """Count the answers that the server has about a shop."""
    with psycopg.connect(city_server.settings.owner_url) as conn:
        row = conn.execute(
            "SELECT count(*) FROM observation WHERE subject = 'premises' AND subject_id = %s",
            (shop,),
        ).fetchone()
    assert row is not None
    return int(row[0])


def test_what_is_still_so_takes_one_tap_and_a_lost_answer_makes_no_second_visit(
    new_page, city_server, spot, shops
):
    page = new_page(role="worker", phone=True, **faces.at_spot(*spot))
    page.goto(f"/worker/visits/premises/{shops[1]}")
    fill(page)
    lost = []

    def lose_the_answer(route):
        """The server takes the visit, its answer never arrives."""
        lost.append(route.fetch().status)
        route.abort()

    page.route("**/api/visits/*", lambda route: (
        lose_the_answer(route) if route.request.method == "PUT" else route.continue_()))  # fmt: skip
    with page.expect_event("requestfailed", lambda one: one.method == "PUT"):
        page.locator("#send").tap()
    expect(page.locator("#waiting button")).to_be_enabled()
    expect(page.locator("#visit-done")).to_have_attribute("data-state", "kept")
    page.unroute("**/api/visits/*")
    page.locator("#waiting button").tap()
    expect(page.locator("#waiting")).to_contain_text("服务器已收到")
    first = seen_of(city_server, shops[1])

    page.goto(f"/worker/visits/premises/{shops[1]}?all=1")
    page.locator(".visit-known summary").tap()
    page.locator(".still-so").first.tap()
    expect(page.locator(".still-so").first).to_have_attribute("aria-pressed", "true")
    shoot(page, "visit-still-so", full=True)
    page.locator("#send").tap()
    expect(page.locator("#visit-done")).to_have_attribute("data-state", "received")

    assert lost == [201]
    assert seen_of(city_server, shops[1]) == first + 1


def test_a_refused_visit_stays_with_its_reason_and_opens_again(new_page, spot, shops):
    page = new_page(role="worker", phone=True, **faces.at_spot(*spot))
    page.goto(f"/worker/visits/premises/{shops[2]}")
    fill(page)

    def damage(route):
        """An answer that the phone's own check would not let pass."""
        body = route.request.post_data_json
        body["answers"]["premises.floor_area"] = "x"
        route.continue_(post_data=body)

    page.route("**/api/visits/*", lambda route: (
        damage(route) if route.request.method == "PUT" else route.continue_()))  # fmt: skip
    page.locator("#send").tap()
    expect(page.locator("#visit-done")).to_have_attribute("data-state", "refused")
    page.unroute("**/api/visits/*")
    page.goto("/worker/visits")
    expect(page.locator("#outbox li")).to_have_count(1)
    shoot(page, "visit-refused")
    page.locator("#outbox a").tap()

    expect(page.locator("[data-field='premises.floor_area']")).to_have_class("block field-invalid")
    page.locator("[data-field='premises.floor_area'] input").fill("14")
    page.locator("#send").tap()
    expect(page.locator("#visit-done")).to_have_attribute("data-state", "received")


def test_what_is_kept_on_a_phone_is_sealed(new_page, spot, shops):
    page = new_page(role="worker", phone=True, **faces.at_spot(*spot))
    asked_for(page, "/worker/visits")

    kept = page.evaluate(
        """async () => {
          const done = request => new Promise((resolve, reject) => {
            request.onsuccess = () => resolve(request.result);
            request.onerror = () => reject(request.error);
          });
          const db = await done(indexedDB.open('wangge-phone'));
          const all = store => done(db.transaction(store).objectStore(store).getAll());
          const [things, keys] = [await all('things'), await all('keys')];
          return {
            fields: things.map(one => Object.keys(one).sort().join(' ')),
            text: things.map(one => new TextDecoder().decode(one.sealed.data)).join(),
            extractable: keys.map(one => one.key.extractable)};
        }"""
    )

    assert kept["extractable"] == [False]
    assert kept["fields"] == ["account at id kind sealed shots"]
    assert "premises" not in kept["text"]


def test_somebody_else_on_the_same_phone_neither_sees_nor_sends_what_waits(
    new_page, city_server, spot, shops
):
    page = new_page(role="worker", phone=True, **faces.at_spot(*spot))
    page.goto(f"/worker/visits/premises/{shops[2]}?all=1")
    page.locator(".visit-known summary, .visit > fieldset").first.wait_for()
    fill(page)
    before = seen_of(city_server, shops[2])
    page.route("**/api/visits/*", lambda route: (
        route.abort() if route.request.method == "PUT" else route.continue_()))  # fmt: skip
    with page.expect_event("requestfailed", lambda one: one.method == "PUT"):
        page.locator("#send").tap()
    page.goto("/worker/me")
    expect(page.locator("#waiting")).to_contain_text("1 次走访没有发出去")
    page.locator("form[action='/sign-out'] button").tap()
    expect(page.locator("dialog")).to_contain_text("仍加密留在这部手机上")
    shoot(page, "visit-leave")
    page.locator("dialog .btn-primary").tap()
    page.wait_for_url("**/sign-in**")
    page.unroute("**/api/visits/*")

    sign_in(page, city_server, "grid_leader")
    page.goto("/worker/visits")
    expect(page.locator("#package-state.strip-ok")).to_be_visible()
    assert page.locator("#outbox li").count() == 0
    assert page.locator("#waiting").is_hidden()
    assert seen_of(city_server, shops[2]) == before

    page.context.clear_cookies()
    sign_in(page, city_server, "worker")
    page.goto("/worker/visits")
    expect(page.locator("#waiting")).to_contain_text("服务器已收到")
    assert seen_of(city_server, shops[2]) > before


@pytest.fixture
def question(city_server, area):
    """A question about a shop of the worker's grid, of which two sources say something else."""
    with psycopg.connect(city_server.settings.owner_url, autocommit=True) as conn:
        key, grid, name = conn.execute(
            "SELECT id, grid_id, name FROM premises WHERE area_code ^@ %s AND valid_to IS NULL"
            " AND name <> '' AND id NOT IN (SELECT entry_id FROM fact_check) ORDER BY id DESC LIMIT 1",
            (area,),
        ).fetchone()
        candidates = [{"value": value, "sources": [source], "since": "2026-01-01T00:00:00+00:00"}
                      for value, source in (("40", "import:market"), ("400", "import:fire"))]  # fmt: skip
        check = conn.execute(
            "INSERT INTO fact_check (register, entry_id, field, candidates, weight, why, state,"
            " area_code, grid_id, asked_at) VALUES ('premises', %s, 'floor_area_m2', %s, 99, 'asked',"
            " 'open', %s, %s, now()) RETURNING id",
            (key, Jsonb(candidates), area, grid),
        ).fetchone()[0]
    return check, name


def test_a_question_answered_in_a_tunnel_arrives_once_the_network_is_back(
    new_page, city_server, spot, question
):
    check, name = question
    page = new_page(role="worker", phone=True, **faces.at_spot(*spot))
    asked_for(page, "/worker/visits")
    page.goto("/worker/checks")
    expect(page.locator(".check", has_text=name)).to_have_count(1)
    shoot(page, "checks-online", full=True)
    page.context.set_offline(True)

    page.goto("/worker/checks")
    card = page.locator(".check", has_text=name)
    expect(card.locator("h2")).to_contain_text("面积")
    shoot(page, "checks-offline", full=True)
    card.get_by_role("button", name="400").tap()
    expect(card).to_have_count(0)
    expect(page.locator("#waiting")).to_be_visible()
    assert _answer(city_server, check) == ("open", None, None)
    page.goto("/worker/checks")  # drawn anew, the card does not come back
    expect(page.locator("#checks")).to_be_attached()
    expect(page.locator(".check", has_text=name)).to_have_count(0)

    page.context.set_offline(False)
    expect(page.locator("#waiting")).to_contain_text("服务器已收到")
    assert _answer(city_server, check) == ("answered", "value", "400")
    page.goto("/worker/checks")
    expect(page.locator(".check", has_text=name)).to_have_count(0)


def _answer(city_server, check: int) -> tuple[str, str | None, str | None]:
    with psycopg.connect(city_server.settings.owner_url) as conn:
        return conn.execute(
            "SELECT state, answer, value FROM fact_check WHERE id = %s", (check,)
        ).fetchone()
