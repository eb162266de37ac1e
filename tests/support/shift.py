"""A dispatcher's hands and the cases of a shift: keys only, counted."""

import hashlib
import io
import json
import os
import signal
import time
import uuid
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from PIL import Image
from playwright.sync_api import Page, expect

CARD = ".case-actions form"
MANHOLE = "01002"
#: About 30 m to the east.
STEP = 0.0003


@dataclass
class Hands:
    """Somebody at the keys of a desk; there is no mouse."""

    page: Page
    strokes: int = 0
    spent: Counter[str] = field(default_factory=Counter)  #: seconds by what was done
    done: Counter[str] = field(default_factory=Counter)

    def press(self, *keys: str) -> None:
        for key in keys:
            self.page.keyboard.press(key)
            self.strokes += 1

    def write(self, words: str) -> None:
        """Type as an input method does: whole words arrive at once."""
        self.page.keyboard.insert_text(words)
        self.strokes += len(words)

    def send(self, number: str) -> None:
        """Submit what is written and wait until the server has said "done"."""
        self.press("Control+Enter")
        self.told(number)

    def told(self, words: str) -> None:
        expect(self.page.locator(".toast-ok", has_text=words).last).to_be_visible()

    def begins(self, key: str) -> None:
        """Press the key of a step and wait for its form."""
        self.press(key)
        self.page.locator(CARD).wait_for()

    def timed(self, what: str, act: Any, *words: Any) -> None:
        """Do something and keep how long it took."""
        started = time.perf_counter()
        act(self, *words)
        self.spent[what] += time.perf_counter() - started
        self.done[what] += 1

    def figures(self) -> dict[str, Any]:
        """Return strokes and seconds a case, in all and by what was done."""
        cases = self.done.total()
        return {
            "cases": cases,
            "keystrokes_a_case": round(self.strokes / cases, 1),
            "seconds_a_case": round(self.spent.total() / cases, 2),
            "seconds": {what: round(self.spent[what] / n, 2) for what, n in self.done.items()},
        }

    def keep(self, path: Path) -> None:
        """Keep the figures among the artefacts of the tests."""
        path.parent.mkdir(exist_ok=True)
        path.write_text(json.dumps(self.figures(), indent=1))


@dataclass
class Clerk:
    """Somebody signed in who speaks to the API from a page that is open."""

    page: Page

    def call(self, method: str, path: str, body: Any = None) -> Any:
        token = self.page.locator("meta[name=csrf-token]").get_attribute("content") or ""
        data = body if isinstance(body, bytes) or body is None else json.dumps(body)
        kind = "image/jpeg" if isinstance(body, bytes) else "application/json"
        headers = {"X-CSRF-Token": token, "Content-Type": kind, "Accept": "application/json"}
        answer = self.page.request.fetch(path, method=method, data=data, headers=headers)
        assert answer.ok, (path, answer.status, answer.text()[:300])
        return None if answer.status == 204 else answer.json()

    def move(self, case: str, action: str, **fields: Any) -> Any:
        body = {"id": str(uuid.uuid4()), "action": action, **fields}
        return self.call("POST", f"/api/incidents/{case}/moves", body)

    def status(self, case: str) -> str:
        return self.call("GET", f"/api/incidents/{case}")["status"]

    def photo(self, shade: int) -> str:
        """Store a small photo and return its name."""
        out = io.BytesIO()
        Image.effect_noise((320, 240), 40 + shade % 60).convert("RGB").save(out, "JPEG")
        name = hashlib.sha256(out.getvalue()).hexdigest()
        self.call("PUT", f"/api/blobs/{name}", out.getvalue())
        return name


def file_reports(
    intake: Clerk, leader: Clerk, spot: tuple[float, float], count: int
) -> list[tuple[str, str]]:
    """Report, accept and file cases beside one another; return id and number of each."""
    cases = []
    for n in range(count):
        case = str(uuid.uuid4())
        report = {"category": MANHOLE, "lon": spot[0] + n * STEP, "lat": spot[1],
                  "text": "井盖缺失", "photos": [intake.photo(n)]}  # fmt: skip
        number = intake.call("PUT", f"/api/incidents/{case}", report)["number"]
        intake.move(case, "accept")
        leader.move(case, "file")
        cases.append((case, number))
    return cases


def press_button(page: Page, action: str) -> None:
    """Go to a button of the open case by keys, also to one that is folded away, and press it."""
    buttons = page.locator(".case-actions [data-action]")
    order = buttons.evaluate_all("them => them.map(one => one.dataset.action)")
    page.keyboard.press(".")
    for _ in range(order.index(action)):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")


def kill_browser(profile: Path) -> None:
    """Kill the browser that uses a profile as a power cut does: it can keep nothing any more."""
    killed = 0
    for words in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            said = words.read_text(errors="replace")
        except OSError:
            continue
        if f"--user-data-dir={profile}" in said and "--type=" not in said:
            os.kill(int(words.parent.name), signal.SIGKILL)
            killed += 1
    assert killed, f"no browser uses {profile}"


# ---- what a dispatcher does with a case; each begins with the case open


def dispatch(hands: Hands, number: str) -> None:
    """Send it where the rules say, which stands in the form already."""
    hands.begins("d")
    expect(hands.page.locator(f"{CARD} .suggest-item[aria-pressed=true]")).to_be_visible()
    hands.send(number)


def dispatch_to_a_person(hands: Hands, number: str) -> None:
    """Take the first person that is suggested, by the digit."""
    hands.begins("d")
    expect(hands.page.locator(f"{CARD} [data-worker]").first).to_be_visible()
    hands.press("2")
    expect(hands.page.locator(f"{CARD} [data-worker][aria-pressed=true]")).to_be_visible()
    hands.send(number)


def send_back(hands: Hands, number: str) -> None:
    hands.begins("t")
    hands.press("ArrowDown")
    hands.send(number)


def expedite(hands: Hands, number: str) -> None:
    hands.begins("e")
    hands.write("学校门口，请尽快派遣。")
    hands.send(number)


def put_aside(hands: Hands, number: str) -> None:
    """Begin a note, look at another case, come back and send it."""
    hands.begins("c")
    hands.write("已电话联系反映人，")
    hands.press("Escape", "k", "j")
    hands.begins("c")
    note = hands.page.locator(f"{CARD} [name=note]")
    expect(note).to_have_value("已电话联系反映人，")
    expect(note).to_be_focused()
    hands.write("在现场等候。")
    expect(note).to_have_value("已电话联系反映人，在现场等候。")
    hands.send(number)


def merge(hands: Hands, number: str) -> None:
    hands.press("m")
    expect(hands.page.locator(".compare-card .case-photo img")).to_have_count(2)
    hands.press("Enter")
    hands.told(number)


def take_back(hands: Hands, number: str) -> None:
    """Send it, see that it was wrong, undo, send it rightly."""
    dispatch(hands, number)
    state = hands.page.locator(".case-sub .status-word")
    expect(state).to_have_text("待签收")
    hands.press("u")
    expect(state).to_have_text("待派遣")
    dispatch(hands, number)


#: In the order in which they come; the state that each leaves behind.
DEEDS = (
    (dispatch, "pending_sign"),
    (send_back, "pending_file"),
    (dispatch_to_a_person, "pending_sign"),
    (expedite, "pending_dispatch"),
    (put_aside, "pending_dispatch"),
    (take_back, "pending_sign"),
    (merge, "merged"),
)
