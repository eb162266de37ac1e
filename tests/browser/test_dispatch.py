"""The dispatcher's desk: a shift without a mouse, and what may not be lost or missed in it."""

import re
import shutil
import time
import uuid
from functools import partial

import psycopg
import pytest
from playwright.sync_api import expect

from tests.support import faces
from tests.support.browser import DESK, FLAGS, PICTURES, shoot, sign_in
from tests.support.depth import IS_FULL
from tests.support.shift import CARD, DEEDS, Clerk, Hands, file_reports, kill_browser, press_button

SHIFT = 20 if IS_FULL else 7
BULK = 3
LOADED = "() => [...document.querySelectorAll('.compare-card img')].every(one => one.naturalWidth)"
WAITING = "status=pending_dispatch&sort=new"


@pytest.fixture(scope="module")
def seats(browser, city_server):
    """Sign each role in once; return what its browser keeps."""
    kept = {}

    def state(role):
        if role not in kept:
            context = browser.new_context(base_url=city_server.url, **DESK)
            sign_in(context.new_page(), city_server, role)
            kept[role] = context.storage_state()
            context.close()
        return kept[role]

    return state


@pytest.fixture
def sit(new_page, seats):
    """Open a page of somebody who has signed in already."""
    return lambda role="dispatcher", **more: new_page(storage_state=seats(role), **more)


@pytest.fixture(scope="module")
def clerks(browser, city_server, seats):
    """Intake and shift leader, who bring cases to the dispatcher."""
    made = []
    for role in ("intake", "shift_leader"):
        context = browser.new_context(base_url=city_server.url, storage_state=seats(role), **DESK)
        page = context.new_page()
        page.goto("/account")
        made.append(Clerk(page))
    yield made
    for clerk in made:
        clerk.page.context.close()


@pytest.fixture
def reports(clerks, city_server):
    """Make cases that wait to be dispatched, 30 m from one another: `(id, number)` each."""
    spot = faces.spot_in(city_server, city_server.login("worker")["area"])
    return lambda count: file_reports(*clerks, spot, count)


def open_desk(page, case="", query=WAITING):
    page.goto(f"/command/desk?{query}&case={case}" if case else f"/command/desk?{query}")
    page.locator(".case-row").first.wait_for()
    if case:
        page.locator(".case-body .timeline").wait_for()


def row_of(page, case):
    return page.locator(f'.case-row[data-id="{case}"]')


def test_a_shift_is_played_without_a_mouse(sit, reports, clerks):
    leader = clerks[1]
    cases = reports(SHIFT + BULK)[::-1]  # the newest stands on top
    page = sit()
    hands = Hands(page)
    open_desk(page)
    for n, (case, number) in enumerate(cases[:SHIFT]):
        act, _ = DEEDS[n % len(DEEDS)]
        hands.press("j")
        expect(row_of(page, case)).to_have_class(re.compile("is-open"))
        hands.timed(act.__name__, act, number)

    def in_bulk(hands):
        for case, _ in cases[SHIFT:]:
            hands.press("j")
            expect(row_of(page, case)).to_have_class(re.compile("is-open"))
            hands.press("Space")
        hands.press("d")
        expect(page.locator(".dialog-bulk [name=department]")).to_be_focused()
        hands.press("ArrowDown")
        expect(page.locator(".bulk-list .is-ok")).to_have_count(BULK)
        hands.press("Control+Enter")
        hands.told(f"办成 {BULK} 件")

    hands.timed("in_bulk", in_bulk)
    hands.keep(PICTURES / "shift.json")

    left = [leader.status(case) for case, _ in cases]
    assert left[:SHIFT] == [DEEDS[n % len(DEEDS)][1] for n in range(SHIFT)]
    assert set(left[SHIFT:]) == {"pending_sign"}
    assert page.evaluate("document.activeElement !== document.body")


def test_a_hand_faster_than_the_answer_means_the_case_it_selected(sit, reports):
    (second, _), (first, _) = reports(2)
    page = sit()
    open_desk(page, first)
    page.route("**/api/incidents/*", lambda route: (time.sleep(0.2), route.continue_()))
    page.keyboard.press("j")
    page.keyboard.press("c")
    page.locator(CARD).wait_for()

    assert page.locator(".case-row.is-open").get_attribute("data-id") == second
    assert second in page.evaluate("location.search")
    expect(page.locator(f"{CARD} [name=note]")).to_be_focused()


def test_a_hand_faster_than_the_answer_means_the_cases_it_marked(sit, reports):
    reports(2)
    page = sit()
    open_desk(page)
    held = []
    page.route("**/api/incidents/*", lambda route: held.append(route))
    # The second of one state asks nothing; its step waits for what the first asked.
    for key in ("j", "Space", "j", "Space", "d"):
        page.keyboard.press(key)
    page.route("**/api/incidents/*", lambda route: route.continue_())
    for route in held:
        route.continue_()

    expect(page.locator(".dialog-bulk [name=department]")).to_be_focused()


def test_the_box_finds_by_number_address_coordinates_and_initials(sit, reports, city_server):
    ((case, number),) = reports(1)
    with psycopg.connect(city_server.settings.owner_url) as conn:
        address = conn.execute("SELECT text FROM address ORDER BY id LIMIT 1").fetchone()[0]
    page = sit()
    open_desk(page)

    def ask(words, kind=""):
        page.keyboard.press("/")
        page.keyboard.insert_text(words)
        if kind:
            wanted = page.locator(".search-menu [role=option]", has_text=kind).first
            wanted.wait_for()
            while wanted.get_attribute("aria-selected") != "true":
                page.keyboard.press("ArrowDown")
        page.keyboard.press("Enter")

    ask(number)
    page.locator(".case-sub", has_text=number).wait_for()
    ask(address, "地址")
    place = page.wait_for_function(
        "() => location.search.match(/at=17\\/([\\d.]+)\\/([\\d.]+)/)?.[0]"
    )
    lon, lat = faces.spot_in(city_server, city_server.login("worker")["area"])
    ask(f"{lon:.5f}, {lat:.5f}")
    page.wait_for_function("before => !location.search.includes(before)", arg=place.json_value())
    page.keyboard.press("/")
    page.keyboard.insert_text("jg")
    page.locator(".search-menu [role=option]", has_text="井盖").first.wait_for()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")

    page.wait_for_function("() => location.search.includes('category=')")
    assert case in page.evaluate("location.search")


def test_facets_narrow_the_list_and_a_kept_filter_brings_it_back(sit, reports):
    reports(1)
    page, name = sit(), f"待派 {uuid.uuid4().hex[:6]}"
    open_desk(page, query="")
    everything = page.locator(".queue-count").inner_text()
    page.keyboard.press("f")
    facet = page.locator('[data-facet="status"] [data-value="pending_dispatch"]')
    facet.focus()
    count = facet.locator(".facet-count").inner_text()
    page.keyboard.press("Enter")
    expect(page.locator(".queue-count")).to_have_text(count)
    expect(page.locator(".applied .chip")).to_have_text(["待派遣"])
    page.keyboard.press("Escape")

    page.keyboard.press("s")
    page.locator(".saved-form input[type=text]").focus()
    page.keyboard.insert_text(name)
    page.keyboard.press("Enter")
    page.locator(".saved-item", has_text=name).wait_for()
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator(".queue-count")).to_have_text(everything)
    page.keyboard.press("s")
    page.locator(".saved-item", has_text=name).get_by_role("button").first.focus()
    page.keyboard.press("Enter")

    expect(page.locator(".queue-count")).to_have_text(count)
    page.wait_for_function("() => location.search.includes('status=pending_dispatch')")
    assert all(who.startswith("待派遣") for who in page.locator(".case-who").all_inner_texts())


def test_bulk_shows_before_what_it_refuses_and_can_be_taken_back(sit, reports, clerks):
    cases = [case for case, _ in reports(3)[::-1]]
    page = sit()
    open_desk(page)
    for case in cases:
        page.keyboard.press("j")
        expect(row_of(page, case)).to_have_class(re.compile("is-open"))
        page.keyboard.press("Space")
    clerks[1].move(cases[1], "merge", main=cases[0])
    page.keyboard.press("d")
    page.locator(".dialog-bulk [name=department]").select_option("D01")

    expect(page.locator(".bulk-list .is-refused")).to_have_count(1)
    expect(page.locator(".bulk-list li").first).to_have_class("is-refused")
    page.keyboard.press("Control+Enter")
    page.locator(".toast-ok", has_text="办成 2 件，退回 1 件").wait_for()
    assert [clerks[0].status(one) for one in cases] == ["pending_sign", "merged", "pending_sign"]
    page.keyboard.press("u")
    page.locator(".toast-ok", has_text="已撤销 2 件").wait_for()
    assert [clerks[0].status(one) for one in (cases[0], cases[2])] == ["pending_dispatch"] * 2


def test_two_that_may_be_the_same_stand_side_by_side(sit, reports, clerks):
    (main, main_number), (case, number) = reports(2)
    page = sit()
    open_desk(page, case)
    page.keyboard.press("m")
    page.locator(".compare-card").first.wait_for()
    chips = page.locator(".dialog-compare .chip")
    if chips.count():
        chips.filter(has_text=main_number).focus()
        page.keyboard.press("Enter")
    photos = page.locator(".compare-card .case-photo img")
    expect(photos).to_have_count(2)
    page.wait_for_function(LOADED)

    assert re.search(r"(29|30) m", page.locator(".compare-sides").inner_text())
    page.locator(".dialog-compare .btn-primary").focus()
    page.keyboard.press("Enter")
    page.locator(".toast-ok", has_text=number).wait_for()
    assert clerks[0].status(case) == "merged"
    page.keyboard.press("u")
    page.locator(".toast-ok", has_text="已撤销 1 件").wait_for()
    expect(page.locator(".case-sub .status-word")).to_have_text("待派遣")
    assert clerks[0].status(main) == "pending_dispatch"


def test_a_claim_is_told_by_the_stream_alone_and_undo_restores(sit, reports, clerks):
    ((case, number),) = reports(1)
    first, second = sit(), sit("shift_leader")
    open_desk(second)
    expect(second.locator(".link-state.is-live")).to_be_visible()
    second.route("**/api/desk/queue*", lambda route: route.abort())
    open_desk(first, case)
    assert row_of(second, case).locator(".case-claim").count() == 0
    first.keyboard.press("d")
    expect(row_of(second, case).locator(".case-claim")).to_contain_text("正在处理")

    expect(first.locator(f"{CARD} .suggest-item[aria-pressed=true]")).to_be_visible()
    first.keyboard.press("Control+Enter")
    first.locator(".toast-ok", has_text=number).wait_for()
    expect(row_of(second, case).locator(".case-claim")).to_have_count(0)
    first.keyboard.press("u")
    first.locator(".toast-ok", has_text="已撤销 1 件").wait_for()
    expect(first.locator(".case-sub .status-word")).to_have_text("待派遣")
    assert clerks[0].status(case) == "pending_dispatch"


def test_a_draft_survives_a_killed_browser(browser, city_server, reports, seats, tmp_path):
    ((case, _),) = reports(1)
    seat = seats("dispatcher")["cookies"]
    program = shutil.which("chromium") or shutil.which("chromium-browser")
    launch = partial(
        browser.browser_type.launch_persistent_context,
        executable_path=program, args=FLAGS, base_url=city_server.url, **DESK,
    )  # fmt: skip
    context = launch(tmp_path / "profile")
    context.add_cookies(seat)
    page = context.new_page()
    open_desk(page, case)
    page.keyboard.press("t")
    page.locator(f"{CARD} [name=note]").focus()
    with page.expect_response(lambda r: "/desk/drafts/" in r.url and r.request.method == "PUT"):
        page.keyboard.insert_text("写到一半的说明")
    kill_browser(tmp_path / "profile")

    context = launch(tmp_path / "another")  # nothing of the first is left on this machine
    context.add_cookies(seat)
    page = context.new_page()
    open_desk(page, case)
    expect(page.locator(f"{CARD} [name=note]")).to_have_value("写到一半的说明")
    context.close()


def test_what_is_typed_outlives_the_sign_in(new_page, reports, city_server, clerks):
    ((case, number),) = reports(1)
    page = new_page(role="dispatcher")
    open_desk(page, case)
    page.keyboard.press("c")
    page.locator(f"{CARD} [name=note]").wait_for()
    with psycopg.connect(city_server.settings.owner_url) as conn:
        conn.execute("DELETE FROM sign_in_session WHERE token_hash = (SELECT token_hash"
                     " FROM sign_in_session ORDER BY created_at DESC LIMIT 1)")  # fmt: skip
    page.keyboard.insert_text("登录过期前写的")
    page.keyboard.press("Control+Enter")
    expect(page.locator("#strip a")).to_be_focused()
    assert page.locator(f"{CARD} [name=note]").input_value() == "登录过期前写的"

    page.keyboard.press("Enter")
    page.wait_for_url("**/sign-in?**")
    for name in ("login", "password"):
        page.fill(f"input[name={name}]", city_server.login("dispatcher")[name])
    page.keyboard.press("Enter")
    page.wait_for_url("**/command/desk?**")
    expect(page.locator(f"{CARD} [name=note]")).to_have_value("登录过期前写的")
    page.locator(f"{CARD} [name=note]").focus()
    page.keyboard.press("Control+Enter")
    page.locator(".toast-ok", has_text=number).wait_for()
    events = clerks[0].call("GET", f"/api/incidents/{case}")["events"]
    assert "登录过期前写的" in {event["note"] for event in events}


def test_no_letter_is_a_command_while_a_word_is_composed(sit, reports):
    ((case, _),) = reports(1)
    page = sit()
    open_desk(page, case)
    wire = page.context.new_cdp_session(page)

    def compose(words):
        """Send what an input method sends: keys without a meaning, and the word so far."""
        for so_far in (words[: n + 1] for n in range(len(words))):
            for kind in ("rawKeyDown", "keyUp"):
                wire.send("Input.dispatchKeyEvent", {"type": kind, "key": "Process",
                          "code": f"Key{so_far[-1].upper()}", "windowsVirtualKeyCode": 229})  # fmt: skip
            wire.send("Input.imeSetComposition",
                      {"text": so_far, "selectionStart": len(so_far), "selectionEnd": len(so_far)})  # fmt: skip

    page.keyboard.press("/")
    compose("djx")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    assert page.locator(CARD).count() == 0
    wire.send("Input.insertText", {"text": "井盖"})
    assert page.locator(".search-input").input_value() == "井盖"
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    note = page.locator(f"{CARD} [name=note]")
    expect(note).to_be_focused()
    compose("ux")
    page.keyboard.press("Control+Enter")
    page.keyboard.press("Escape")
    wire.send("Input.insertText", {"text": "又现"})

    expect(note).to_have_value("又现")
    assert page.locator(".dialog[open], .toast").count() == 0


def test_a_town_sees_its_own_area_and_passes_a_case_up(sit, reports, clerks, city_server):
    ((case, number),) = reports(1)
    town = city_server.login("town_seat")["area"]
    seat = Clerk(sit("town_seat"))
    page = seat.page
    elsewhere = next(
        row["id"]
        for row in clerks[1].call("GET", "/api/desk/queue?status=all&limit=200")["items"]
        if not row["area"].startswith(town)
    )
    dispatcher = sit()
    dispatcher.goto("/account")
    Clerk(dispatcher).move(case, "delegate", level="town")
    open_desk(page, case)
    mine = seat.call("GET", "/api/desk/queue?limit=200")["items"]
    assert {row["area"][:9] for row in mine} == {town}
    press_button(page, "escalate")
    page.locator(f"{CARD} [name=note]").wait_for()
    page.keyboard.insert_text("需要市级部门")
    page.keyboard.press("Control+Enter")
    page.locator(".toast-ok", has_text=number).wait_for()
    assert clerks[1].status(case) == "pending_dispatch"
    assert clerks[1].call("GET", f"/api/incidents/{case}")["events"][-1]["action"] == "escalate"
    page.goto(f"/command/desk?case={elsewhere}")
    page.locator(".case-failed").wait_for()


def test_the_address_is_the_state(sit, reports):
    ((case, _),) = reports(1)
    page = sit()
    open_desk(page, case, "status=pending_dispatch&sort=new&risk=ok,soon,late")
    page.wait_for_function("() => location.search.includes('at=')")
    address = page.evaluate("location.search")
    page.goto(f"/command/desk{address}")
    page.locator(".case-body .timeline").wait_for()

    assert page.evaluate("location.search") == address
    assert page.locator(".case-row.is-open").get_attribute("data-id") == case


@pytest.mark.parametrize(("language", "look"), faces.LOOKS)
def test_the_desk_reads_well(sit, language, look):
    page = sit(locale=language, color_scheme=look)
    open_desk(page, query="")
    page.keyboard.press("j")
    page.locator(".case-body .timeline").wait_for()
    shoot(page, f"dispatch-{language[:2]}-{look}")
    wrong = [*faces.bare_keys(page), *faces.faults(page)]
    page.keyboard.press("f")
    page.locator(".facet-item").first.wait_for()
    shoot(page, f"dispatch-facets-{language[:2]}-{look}")

    assert [*wrong, *faces.faults(page)] == []
    assert not re.search(r"\b(dispatch|facet)\.[a-z]+", page.locator("body").inner_text())
