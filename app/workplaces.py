"""The pages that staff may open: one list behind the menus of every face, with what waits."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, Final

from flask import Blueprint, g, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.orm import Session

from app.auth import SIGNED_IN, requires
from app.render import json_answer
from grids import exports
from grids.accounts import Actor
from grids.addressing import questions
from grids.channels import alarms, letters, transfers
from grids.facts import checks
from grids.ledgers import forms
from grids.matching import pairs as duplicate_pairs
from grids.outbox import log
from grids.quality import alarms as quality_alarms
from grids.regrid import plans

bp = Blueprint("workplaces", __name__)

#: Counts what waits on a page for the caller.
Waiting = Callable[[Session, Actor], int]


@dataclass(frozen=True)
class Place:
    """One page of the menu."""

    permission: str
    path: str
    icon: str
    text: str  #: key of the catalogue
    waiting: Waiting | None = None
    is_pressing: bool = False  #: somebody outside counts the seconds


#: Key of the group's name -> its pages, in the order of a shift's work.
GROUPS: Final[tuple[tuple[str, tuple[Place, ...]], ...]] = (
    (
        "places.cases",
        (
            Place("command:view", "/command", "map-2", "command.title"),
            Place("desk:dispatch", "/command/desk", "columns-3", "dispatch.title"),
            Place("intake:take", "/command/intake", "headset", "intake.title"),
            Place("desk:view", "/desk", "inbox", "places.desk"),
            Place("ledger:view", "/desk/ledgers", "table", "ledger.title"),
            Place("worker:view", "/worker/", "device-mobile", "desk.nav_worker"),
            Place("visit:make", "/worker/checks", "help-circle", "check.title", checks.count_open),
        ),
    ),
    (
        "channels.title",
        (
            Place("letter:view", "/command/letters", "mail", "channels.letters", letters.count_new),
            Place(
                "channel:answer", "/command/transfers", "package-export", "channels.transfers",
                transfers.count_waiting, is_pressing=True,
            ),
            Place("channel:answer", "/command/sent", "send", "channels.sent", log.count_failed),
            Place("watch:view", "/command/alarms", "bell", "channels.alarms", alarms.count_open),
        ),
    ),
    (
        "responsibility.title",
        (
            Place("rules:view", "/command/rules", "table", "responsibility.rules"),
            Place("rules:view", "/command/arbitrations", "gavel", "responsibility.arbitrations"),
            Place("rules:view", "/command/precedents", "book", "responsibility.precedents"),
            Place("rules:view", "/command/moratoria", "player-pause", "responsibility.moratoria"),
            Place("rules:view", "/command/samples", "list-check", "responsibility.samples"),
        ),
    ),
    (
        "places.society",
        (
            Place("dispute:view", "/disputes", "messages", "dispute.title"),
            Place("hazard:view", "/hazards", "alert-triangle", "hazard.title"),
            Place("key_population:view", "/counts", "users-group", "counts.title"),
            Place("person:find", "/people", "user-search", "people.title"),
        ),
    ),
    (
        "data.title",
        (
            Place("data:view", "/data", "database", "data.registers"),
            Place("grid:view", "/registers", "list-details", "register.title"),
            Place("grid:view", "/data/sites", "building-community", "site.title"),
            Place("enterprise:view", "/data/conversion", "id", "conversion.title"),
            Place("grid:view", "/data/base", "clipboard-check", "base.title"),
            Place("data:view", "/data/libraries", "book", "library.title"),
            Place(
                "data:view", "/data/quality", "target", "quality.title",
                quality_alarms.count_unseen,
            ),
            Place(
                "data:decide", "/data/duplicates", "git-merge", "duplicate.title",
                duplicate_pairs.count_open,
            ),
            Place("data:decide", "/data/corrections", "send", "correction.title"),
            Place("data:import", "/data/imports", "cloud-upload", "import.title"),
            Place("grid:view", "/data/grids", "layout-grid", "grids.title"),
            Place("grids:view", "/data/grids/plans", "polygon", "grids.plans", plans.count_waiting),
            Place("data:view", "/data/addresses", "map-pins", "address.title"),
            Place(
                "address:answer", "/data/address-questions", "help-circle", "address.questions",
                questions.count_open,
            ),
            Place(
                "ledger:view", "/data/forms", "clipboard-list", "form.title", forms.waiting_count
            ),
            Place("ledger:view", "/data/questions", "message-2", "form.questions"),
            Place("ledger:view", "/data/burden", "gauge", "burden.title"),
        ),
    ),
    (
        "places.data",
        (
            Place("planner:view", "/planner", "package-export", "planner.title"),
            Place("export:run", "/planner/exports", "history", "exports.own"),
            Place(
                "export:approve", "/exports/approvals", "shield-check", "exports.approvals",
                exports.waiting_count,
            ),
        ),
    ),
)  # fmt: skip


def places_of(actor: Actor | None) -> list[dict[str, Any]]:
    """Return the groups of pages that a person may open, without what waits there."""
    if actor is None:
        return []
    found = [
        {"name": str(_(key)), "items": [_item(one) for one in items if actor.can(one.permission)]}
        for key, items in GROUPS
    ]
    return [group for group in found if group["items"]]


def _item(place: Place) -> dict[str, Any]:
    return {"href": place.path, "icon": place.icon, "label": str(_(place.text))}


def group_of(key: str, actor: Actor) -> list[Place]:
    """Return the pages of one group that a person may open: the menu of their common frame."""
    items = next(items for name, items in GROUPS if name == key)
    return [place for place in items if actor.can(place.permission)]


def waiting_on(places: Iterable[Place], session: Session, actor: Actor) -> dict[str, int]:
    """Return how much waits for a person on each page where something can wait, by address."""
    return {
        place.path: place.waiting(session, actor)
        for place in places
        if place.waiting is not None and actor.can(place.permission)
    }


@bp.get("/api/waiting")
@requires(SIGNED_IN)
def waiting() -> ResponseReturnValue:
    """Give how much waits for the caller on each page of the menu."""
    places = {place.path: place for _key, items in GROUPS for place in items}
    with g.session.begin():
        counts = waiting_on(places.values(), g.session, g.actor)
    return json_answer({
        "items": [{"href": path, "count": count, "pressing": places[path].is_pressing}
                  for path, count in counts.items()]
    })  # fmt: skip


@bp.app_context_processor
def menu() -> dict[str, Any]:
    """Let the head of every staff page offer the other pages of the caller."""

    def workplaces() -> list[dict[str, Any]]:
        groups = places_of(g.get("actor"))
        # One page is no menu: an administrator and a worker have their own.
        return groups if sum(len(group["items"]) for group in groups) > 1 else []

    return {"workplaces": workplaces, "here_path": request.path}
