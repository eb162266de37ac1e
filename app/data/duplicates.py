"""Enterprises that are probably entered twice: compared side by side, merged, held apart."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urlencode

from flask import Blueprint, g, redirect, request, url_for
from flask.typing import ResponseReturnValue

from app import faces
from app.auth import requires
from app.channel_pages import source_ip
from app.data import entries, import_words
from app.data.frame import page
from app.data.likeness import evidence
from app.errors import status_of
from grids import jobs
from grids.area_tree import area_names, areas_under
from grids.errors import GridsError, NotFound
from grids.layers.access import checked_area
from grids.matching import merging, pairs
from grids.matching.linkage import REASONS
from grids.matching.pairs import Told
from grids.registers import listing
from grids.registers.kinds import KINDS, Shown

bp = Blueprint("duplicates", __name__)

STATES: Final = ("open", "same", "different")
#: What a steward chooses for each field: whose value stands.
FIELDS: Final = frozenset({"answer", "keep", "why"} | {f"f.{name}" for name in merging.FIELDS})
_KIND: Final = KINDS["enterprise"]
_DONE: Final = ("same", "different", "again", "unmerged", "kept", "looking")


@bp.get("/data/duplicates")
@requires("data:decide")
def home() -> ResponseReturnValue:
    """List pairs by area, by what speaks for them and by what was decided."""
    return _home()


def _home(error: str = "") -> str:
    area = checked_area(request.args.get("area", ""))
    state = request.args.get("state", "open")
    state = state if state in STATES else "open"
    reason = request.args.get("reason", "")
    reason = reason if reason in REASONS else ""
    with g.session.begin():
        found = pairs.listed(
            g.session, g.actor, area=area, reason=reason, state=state,
            after=request.args.get("after", "")[:60],
        )  # fmt: skip
        done = request.args.get("done", "")
        return page(
            "duplicates", found=found, area=area, reason=reason, state=state, states=STATES,
            reasons=REASONS, towns=_towns(), query=_query, error=error,
            done=done if done in _DONE else "", pair=request.args.get("pair", 0, type=int),
            merge=request.args.get("merge", 0, type=int), **_around(found.rows),
        )  # fmt: skip


@bp.post("/data/duplicates/find")
@requires("data:decide")
def find() -> ResponseReturnValue:
    """Let the worker look through the register now, unless it is about to."""
    with g.session.begin():
        if not jobs.is_waiting(g.session, "find_duplicates"):
            jobs.defer(g.session, "find_duplicates")
    return redirect(url_for("duplicates.home", done="looking"), 303)


@bp.get("/data/duplicates/<int:pair_id>")
@requires("data:decide")
def one(pair_id: int) -> ResponseReturnValue:
    """Show two entries beside each other, and the form of the decision."""
    return _one(pair_id, {})


def _one(pair_id: int, typed: Mapping[str, str], error: str = "") -> str:
    with g.session.begin():
        found = pairs.pair_of(g.session, g.actor, pair_id)
        kept = _kept(found, typed)
        return page(
            "duplicate", told=found, pair=found.pair, kept=kept, typed=typed, error=error,
            facts=_facts(found, kept, typed), **_around((found,)),
        )  # fmt: skip


@bp.post("/data/duplicates/<int:pair_id>")
@requires("data:decide")
def decide(pair_id: int) -> ResponseReturnValue:
    """Merge both entries, keeping one with the fields that were chosen, or hold them apart."""
    form = request.form
    now = datetime.now(UTC)
    kept = form.get("keep", 0, type=int)
    try:
        with g.session.begin():
            if form.get("answer") != "same":
                pairs.hold_different(
                    g.session, g.actor, pair_id, form.get("why", ""), now=now,
                    source_ip=source_ip(),
                )  # fmt: skip
                return redirect(url_for("duplicates.home", done="different", pair=pair_id), 303)
            take = [name for name in merging.FIELDS
                    if form.get(f"f.{name}", kept, type=int) != kept]  # fmt: skip
            made = merging.merge(
                g.session, g.actor, pair_id, kept=kept, take=take, why=form.get("why", ""),
                now=now, today=faces.today(), source_ip=source_ip(),
            )  # fmt: skip
            return redirect(url_for("duplicates.home", done="same", merge=made.id), 303)
    except NotFound:
        raise
    except GridsError as error:
        return _one(pair_id, form, import_words.message(error)), status_of(error)


@bp.post("/data/duplicates/<int:pair_id>/again")
@requires("data:decide")
def again(pair_id: int) -> ResponseReturnValue:
    """Take back that two entries are two things."""
    with g.session.begin():
        pairs.ask_again(g.session, g.actor, pair_id, source_ip=source_ip())
    return redirect(url_for("duplicates.one", pair_id=pair_id), 303)


@bp.post("/data/duplicates/merges/<int:merge_id>/undo")
@requires("data:decide")
def undo(merge_id: int) -> ResponseReturnValue:
    """Take a merge back; say where something was changed since and stays."""
    try:
        with g.session.begin():
            found = merging.unmerge(
                g.session, g.actor, merge_id, now=datetime.now(UTC), source_ip=source_ip()
            )
            done = "kept" if any(found.kept.values()) else "unmerged"
    except NotFound:
        raise
    except GridsError as error:
        return _home(import_words.message(error)), status_of(error)
    return redirect(url_for("duplicates.home", done=done, merge=merge_id), 303)


# --- Words ----------------------------------------------------------------------------------


def _around(found: tuple[Told, ...]) -> dict[str, Any]:
    """Return what both pages write about pairs."""
    rows = [row for told in found for row in (told.one, told.other) if row is not None]
    return {
        "addresses": listing.addresses(g.session, g.actor, rows),
        "premises": pairs.premises_of(g.session, g.actor, found),
        "area_name": lambda code: faces.by_language(*area_names(g.session, code)),
        "evidence": lambda told: evidence(told.pair.evidence),
        "word": lambda name, row: entries.told(_fact(name), getattr(row, name)),
    }


def _facts(told: Told, kept: int, typed: Mapping[str, str]) -> list[dict[str, Any]]:
    """Return the facts of both entries: whether they differ, and whose value is proposed."""
    if told.one is None or told.other is None:
        return []
    rows = {told.one.id: told.one, told.other.id: told.other}
    addresses = listing.addresses(g.session, g.actor, list(rows.values()))
    found = []
    for name in merging.FIELDS:
        if name == "place":
            said = {key: addresses.get(row.address_id or 0, "") for key, row in rows.items()}
            differ = told.pair.distance_m > 0 or told.one.address_id != told.other.address_id
            is_bare = not rows[kept].address_id
        else:
            said = {key: entries.told(_fact(name), getattr(row, name)) for key, row in rows.items()}
            differ = len(set(said.values())) > 1
            is_bare = getattr(rows[kept], name) is None
        other = next(key for key in rows if key != kept)
        chosen = other if differ and is_bare and said[other] else kept
        given = typed.get(f"f.{name}", "")
        found.append({
            "name": name, "said": said, "differ": differ,
            "chosen": int(given) if given.isdecimal() and int(given) in rows else chosen,
        })  # fmt: skip
    return found


def _kept(told: Told, typed: Mapping[str, str]) -> int:
    """Propose the entry to keep: the one with a code, else the one entered first."""
    given = typed.get("keep", "")
    if given.isdecimal() and int(given) in (told.pair.one, told.pair.other):
        return int(given)
    if told.one is not None and told.other is not None and told.other.uscc and not told.one.uscc:
        return told.other.id
    return told.pair.one


def _fact(name: str) -> Shown:
    return next(fact for fact in _KIND.facts if fact.column == name)


def _towns() -> list[tuple[str, str]]:
    roots = areas_under(g.session, g.actor, "")
    found = [node for root in roots
             for node in (areas_under(g.session, g.actor, root.code) if len(root.code) < 9 else [root])]  # fmt: skip
    return [(node.code, faces.by_language(node.name_zh, node.name_en)) for node in found]


def _query(**values: str) -> str:
    said = {key: value for key, value in values.items() if value}
    return f"/data/duplicates?{urlencode(said)}" if said else "/data/duplicates"
