"""How cases are written as JSON, in the language of the request; all faces use these."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import g, url_for
from flask_babel import gettext as _

from app import origins
from app.i18n import language, translated
from grids.incidents import lifecycle, people
from grids.incidents.detail import CaseDetail, Photo, Step
from grids.incidents.held import HeldMove
from grids.incidents.lifecycle import FIELDS, FLAGS, STATES, Move
from grids.incidents.listing import CaseRow, Page
from grids.responsibility.precedents import Like
from grids.responsibility.seed import SHIPPED_WHY

#: Steps that give a case to a department: what was decided on like cases stands beside them.
GIVING = ("dispatch", "reassign", "fast_track", "arbitrate")


def page_json(page: Page) -> dict[str, Any]:
    """Write a page of the queue with its counts."""
    return {
        "items": [row_json(row) for row in page.items],
        "next": page.next,
        "total": page.total,
        "facets": {"status": page.by_status, "risk": page.by_risk},
    }


def row_json(row: CaseRow) -> dict[str, Any]:
    """Write one line of the queue."""
    return {
        "id": str(row.id),
        "number": row.number,
        "category": {
            "code": row.category_code,
            "name": named(row.category_zh, row.category_en),
            "kind": row.category_kind,
        },
        "address": row.address,
        "grid": {"code": row.grid_code, "name": row.grid_name} if row.grid_code else None,
        "area": row.area_code[:12],
        "area_name": area_name(row),
        "status": row.status,
        "status_name": _(f"status.{row.status}"),
        "stage": STATES[row.status].stage,
        "holder": holder(row),
        "department": row.department_code,
        "reported_at": instant(row.reported_at),
        "received_at": instant(row.received_at),
        "stage_at": instant(row.stage_at),
        "due_at": instant(row.due_at),
        "handling_due_at": instant(row.handling_due_at),
        "risk": row.risk,
        "rework_count": row.rework_count,
        "lon": row.lon,
        "lat": row.lat,
        "source": row.channel,
        "source_name": _(f"channel.{row.channel}"),
        "urgency": row.urgency,
        "urgency_name": _(f"urgency.{row.urgency}"),
    }


def detail_json(found: CaseDetail) -> dict[str, Any]:
    """Write one case with photos, history and what the caller may do."""
    by_step: dict[int, list[Photo]] = {}
    for photo in found.photos:
        by_step.setdefault(photo.event_seq, []).append(photo)
    return {
        **row_json(found.row),
        "text": found.row.text,
        "accuracy_m": found.row.accuracy_m,
        "photos": [photo_json(photo) for photo in found.photos],
        "events": [
            step_json(step, by_step.get(step.event.seq, ()), found.row.reported_at)
            for step in found.steps
        ],
        "actions": [action_json(move, found.row) for move in found.moves],
        "origin": origins.origin_json(found),
        "hand_over": origins.link_json(found),
        "ways": origins.ways_json(found),
        "flags": [
            {"code": code, "name": _(f"flag.{code}")} for code in FLAGS if code in found.row.flags
        ],
        "moratorium": moratorium_json(found.moratorium),
    }


def moratorium_json(found: Any | None) -> dict[str, Any] | None:
    """Write the moratorium that a case falls under."""
    if found is None:
        return None
    return {
        "until": instant(found.valid.upper),
        "reason": found.reason,
        "public_note": found.public_note,
        "approved_by": found.approved_by,
    }


def step_json(step: Step, photos: Any, reported_at: datetime) -> dict[str, Any]:
    """Write one event of the history."""
    event = step.event
    return {
        "seq": event.seq,
        "action": event.action,
        "action_name": _(f"action.{event.action}"),
        "from": event.from_status,
        "to": event.to_status,
        "to_name": _(f"status.{event.to_status}"),
        "actor": step.actor_name,
        "role": _(f"role.{event.role}"),
        "at": instant(event.recorded_at),
        "device_at": instant(event.device_at or (reported_at if event.seq == 1 else None)),
        "reason": _(f"reason.{event.reason}") if event.reason else None,
        "note": " · ".join(
            filter(None, (_reason(event.reason), event.data.get("outside"), event.note))
        ),
        "photos": [photo_json(photo) for photo in photos],
    }


def photo_json(photo: Photo) -> dict[str, Any]:
    """Write a photo with the addresses of its copies."""
    return {
        "id": str(photo.id),
        "role": photo.part,
        "role_name": _(f"photo.{photo.part}"),
        "url": url_for("incidents.blob", sha256=photo.public_sha256),
        "thumb": url_for("incidents.blob", sha256=photo.thumb_sha256),
        "width": photo.width,
        "height": photo.height,
    }


def action_json(move: Move, row: CaseRow) -> dict[str, Any]:
    """Write a move that the caller may make, with the fields of its form."""
    fields: list[dict[str, Any]] = []
    for wanted in move.requires:
        names = wanted.split("|")
        fields += [
            {
                **field_json(name, move, row),
                "required": len(names) == 1,
                "one_of": names[1:] and names,
            }
            for name in names
        ]
    known = {name for wanted in move.requires for name in wanted.split("|")}
    fields += [
        {**field_json(name, move, row), "required": False}
        for name in move.optional
        if name not in known
    ]
    return {
        "action": move.action,
        "name": _(f"action.{move.action}"),
        "requires": fields,
        "primary": move.is_primary,
    }


def field_json(name: str, move: Move, row: CaseRow) -> dict[str, Any]:
    """Write the specification of one form field."""
    field = FIELDS[name]
    spec: dict[str, Any] = {"name": name, "kind": field.kind, "label": _(f"field.{name}")}
    if name == "reason" and move.reasons:
        spec["options"] = _options("reason", lifecycle.REASONS[move.reasons])
    elif name == "urgency":
        spec |= {"options": _options("urgency", lifecycle.URGENCIES), "value": row.urgency}
    elif name == "main":
        spec["hint"] = _("field.main_hint")
    elif name == "category":
        spec["value"] = row.category_code
    elif field.options:
        spec["options"] = _options(name, field.options)
    elif name == "department":
        told = people.responsible(g.session, row.id)
        if told is not None:
            spec |= {"value": told.department_code, "hint": why_words(told.why)}
        if move.action in GIVING:
            spec["precedents"] = [precedent_json(one) for one in _alike(row)]
    elif name == "worker":
        workers = people.workers_near(g.session, row.area_code, at=row.stage_at)
        spec["options"] = [{"value": str(w.account_id), "label": w.name} for w in workers]
    return spec


def precedent_json(one: Like) -> dict[str, Any]:
    """Write what was decided on a like case that was argued about."""
    kept = one.precedent
    names = _departments()
    return {
        "department": kept.department_code,
        "name": names.get(kept.department_code, kept.department_code),
        "refused": [names.get(code, code) for code in kept.refused],
        "likeness": one.likeness,
        "facts": kept.facts,
        "why": kept.why,
        "decided_at": instant(kept.decided_at),
    }


def _alike(row: CaseRow) -> list[Like]:
    """Return the precedents of a case, asked for once in a request."""
    kept: dict[Any, list[Like]] = g.setdefault("alike", {})
    if row.id not in kept:
        kept[row.id] = people.decided_alike(g.session, row.id)
    return kept[row.id]


def _departments() -> dict[str, str | None]:
    """Return the names of departments, read once in a request."""
    if "department_names" not in g:
        g.department_names = {
            one.code: named(one.name_zh, one.name_en) for one in people.departments(g.session)
        }
    names: dict[str, str | None] = g.department_names
    return names


def held_json(row: HeldMove) -> dict[str, Any]:
    """Write a step that waits for an earlier one, or was refused without it."""
    return {
        "id": str(row.id),
        "incident": str(row.incident_id),
        "action": row.action,
        "action_name": _(f"action.{row.action}"),
        "follows": str(row.follows),
        "held_at": instant(row.held_at),
        "until": instant(row.until),
        "state": row.state,
        "code": row.code,
        "why": translated(f"error.{row.code}", row.code) if row.code else None,
    }


def holder(row: CaseRow) -> str | None:
    """Name who has the case now: a department, a person, or the role whose turn it is."""
    state = STATES[row.status]
    if state.holder is None:
        return None
    if state.holder == "handler" and row.department_code:
        return named(row.department_zh, row.department_en)
    return row.holder_name or _(f"role.{state.holder}")


def area_name(row: CaseRow) -> str:
    """Name town and community of a case."""
    parts = (named(row.town_zh, row.town_en), named(row.community_zh, row.community_en))
    return " · ".join(part for part in parts if part)


def named(name_zh: str | None, name_en: str | None) -> str | None:
    """Choose the name in the language of the request; the other one where it is missing."""
    first, second = (name_zh, name_en) if language() == "zh" else (name_en, name_zh)
    return first or second


def why_words(text: str) -> str:
    """Say why a rule gives a case to somebody: a shipped rule in the reader's language."""
    name = next((name for name, words in SHIPPED_WHY.items() if words == text), "")
    return str(_(f"rule_why.{name}")) if name else text


def instant(at: datetime | None) -> str | None:
    """Write an instant as ISO 8601."""
    return at.isoformat() if at else None


def _reason(reason: str | None) -> str | None:
    return _(f"reason.{reason}") if reason else None


def _options(kind: str, codes: tuple[str, ...]) -> list[dict[str, str]]:
    return [{"value": code, "label": _(f"{kind}.{code}")} for code in codes]
