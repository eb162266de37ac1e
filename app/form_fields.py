"""Which fields each form takes: what nobody reads is refused and noted, never passed over.

A view reads its fields by name, so a field that somebody adds sets nothing. It is refused all the
same: who sends `status` or `area_code` along is trying the door, and who mistypes a name learns
it. Bodies in JSON with a structure of their own refuse unknown fields by themselves (msgspec).
`tests/security/test_fields_of_forms.py` compares the table with the templates and the views.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from operator import attrgetter
from typing import Final

from flask import g, request
from werkzeug.exceptions import RequestEntityTooLarge

from grids.errors import Invalid

#: What every form may carry.
ALWAYS: Final = frozenset({"csrf_token"})
_STEP: Final = "id action photos"
_CASE: Final = f"{_STEP} device_at q_* @app.move_form:NAMES @app.move_form:SEVERAL"
_REPORT: Final = "ask photos q_* @app.report_form:FIELDS"
_DISPUTE: Final = (
    f"{_STEP} side_* name_* phone_* organisation_* @grids.disputes.lifecycle:FLOW.fields"
)
_HAZARD: Final = f"{_STEP} @grids.hazards.lifecycle:FLOW.fields"
_PURPOSE: Final = "purpose case child"
_ARRIVAL: Final = "@app.people_arrive:FIELDS"
_EVENT: Final = "kind day source address dwelling whole joins relation"
_GRANT: Final = "@app.admin.grants:FIELDS"

#: Endpoint -> names of its fields. One that ends with * is a beginning of names; one that begins
#: with @ is where a view keeps them itself.
FORMS: Final[dict[str, str]] = {
    "worker_addresses.answer": "answer",
    "worker_checks.post": "id answer value lon lat",
    "entering.enter": "@app.entry_form:FIELDS",
    "worker_new.enter": "@app.entry_form:FIELDS",
    **dict.fromkeys(("entering.end", "entering.revive"), "reason"),
    "entries.ask": "field",
    "entries.withdraw": "field reason",
    "corrections.make": "source reason note",
    "corrections.receive": "by refused",
    **dict.fromkeys(
        ("data_forms.create", "data_forms.change"),
        "form line zh en subject kind visit_days note act add remove newest at.* when.*",
    ),
    "data_forms.copy": "",
    "data_forms.submit": "live_from",
    "data_forms.decide": "answer",
    "data_forms.withdraw": "",
    "data_questions.write": "key subject type zh en hint_zh hint_en example unit valid_days level"
    " options optional min max whole",
    "ledgers.file": "on area kind q answer reason note format",
    "worker_visits.post_sheet": "id version all same a.* p.*",
    "account.change_password": "present new again next",
    "account.end_others": "",
    "account.end_session": "",
    "account.make_token": "name scope days",
    "account.revoke_token": "",
    "account_factor.begin": "next",
    "account_factor.finish": "code next",
    "account_factor.remove": "next",
    "account_factor.renew_codes": "next",
    "addresses.answer": "answer",
    "base_numbers.sign": "area digest note",
    "quality.see": "area note",
    "duplicates.find": "",
    "duplicates.decide": "@app.data.duplicates:FIELDS",
    "duplicates.again": "",
    "duplicates.undo": "",
    "libraries.record": "indicator period v.*",
    "grid_plans.ask": "@app.data.grid_plans:FIELDS",
    "grid_plans.hand_in": "action",
    "grid_plans.decide": "action starts_on",
    "addresses.check_list": "lines act",
    "imports.send": "file source code name target department",
    "import_databases.connect": "server user password",
    "import_databases.take": "table source code name target department",
    "import_databases.forget": "",
    "imports.read": "encoding delimiter sheet head_row crs",
    "imports.check": "mode match c.* v.*",
    "imports.again": "",
    "imports.mend": "m.*",
    "imports.repair": "on",
    "imports.commit": "",
    "imports.undo": "",
    "admin.calendar.draft": "year @app.admin.calendar_forms:FIELDS",
    "admin.calendar.make": "",
    "admin.chain.verify": "",
    "admin.codes.add_limit": "@app.admin.codes_forms:LIMIT",
    "admin.codes.add_rule": "@app.admin.codes_forms:RULE",
    "admin.codes.end": "until",
    "admin.codes.withdraw": "",
    "admin.codes_upload.load": "",
    "admin.codes_upload.send": "files origin",
    "admin.console.acknowledge": "",
    "admin.console.close": "note",
    "admin.grants.grant": _GRANT,
    "admin.grants.revoke": _GRANT,
    "admin.keys.count": "",
    "admin.keys.retire": "kind key_id",
    "admin.keys.rotate": "draw provider",
    "admin.log.export": "reason",
    "admin.staff.create": "login name",
    "admin.staff.disable": "",
    "admin.staff.enable": "",
    "admin.staff.end_session": "",
    "admin.staff.end_sessions": "",
    "admin.staff.reset_password": "",
    "admin.staff.reset_second_factor": "",
    "admin.staff.unlock": "",
    "auth.second_step": "code next",
    "auth.sign_in": "login password next",
    "auth.sign_out": "",
    "confirm.confirm": "password code next",
    "conversion.convert": "uscc",
    "conversion.load": "registrar list",
    "counts.post_table": "act table",
    "desk.post_move": _CASE,
    "entries.correct": "@grids.registers.changes:FIELDS",
    "exporting.create": "layer format columns area bbox bbox-crs crs class reason note",
    "exporting.decide": "answer note",
    "exporting.trace": "crs sample",
    "intake.caller": "phone",
    "intake.post_call": "step photos q_* @app.intake_form:FIELDS",
    "hazards.post_inspection": "id premises answer_* note_* photo_*",
    "hazards.post_move": _HAZARD,
    "hazards.post_new": f"{_HAZARD} premises lon lat",
    "disputes.post_move": _DISPUTE,
    "disputes.post_new": _DISPUTE,
    "disputes.reveal": "purpose",
    "linking.link": "subject",
    "linking.unlink": "issuer subject",
    "people.find_page": f"number place {_PURPOSE}",
    "people.reveal_page": f"field {_PURPOSE}",
    "people_arrive.look_page": f"id {_ARRIVAL} {_PURPOSE}",
    "people_arrive.record_page": f"id {_ARRIVAL} {_PURPOSE}",
    "people_life.look_page": f"on id act name {_EVENT} {_PURPOSE}",
    "people_life.record_page": f"id act event name {_EVENT} {_PURPOSE}",
    "outside.post_answer": "id note photos",
    "outside.post_link": "id act task photo_*",
    "portal.post_report": _REPORT,
    "portal.put_report": _REPORT,
    "quarrels.decide": "act department assisting facts why",
    "quarrels.end_one": "note",
    "quarrels.set_one": (
        "kind category area reason public_note approved_by document begins_at ends_at"
    ),
    "quarrels.state": "basis text",
    "quarrels.to_draft": "",
    "responsibility.back": "note",
    "responsibility.create": "name",
    "responsibility.drop": "",
    "responsibility.go_live": "begins_at note",
    "responsibility.save": "act assisting @app.responsibility:FIELDS",
    "responsibility.send_table": "table",
    "responsibility.try_it": "",
    "sent.retry": "case",
    "subject_requests.post_answer": "act reason field value",
    "subject_requests.post_request": "kind channel document",
    "worker.post_duty": "action hours next",
    "worker.post_move": _CASE,
    "worker.post_report": "ask photos q_* @app.worker:FIELDS",
}
#: How a field's name may stand in the log: one of ours, or nothing that could be a text.
PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z_-]{0,29}\d{0,2}")
MOST_NOTED: Final = 5


class UnknownField(Invalid):
    """A form carries a field that it does not have."""

    code = "body.unknown_field"


@cache
def fields_of(endpoint: str) -> tuple[frozenset[str], tuple[str, ...]]:
    """Return the names that a form takes, and the beginnings of names."""
    words = [name for word in FORMS[endpoint].split() for name in _names(word)]
    whole = frozenset(word for word in words if not word.endswith("*"))
    return whole | ALWAYS, tuple(word[:-1] for word in words if word.endswith("*"))


def _names(word: str) -> Iterable[str]:
    """Return a name, or the names that a module keeps."""
    if not word.startswith("@"):
        return (word,)
    module, _, attribute = word[1:].partition(":")
    found: Iterable[str] = attrgetter(attribute)(importlib.import_module(module))
    return tuple(found)


def takes(endpoint: str, name: str) -> bool:
    """Say whether a form takes a field."""
    whole, beginnings = fields_of(endpoint)
    return name in whole or any(name.startswith(one) for one in beginnings)


def check() -> None:
    """Refuse a form, or the same in JSON, with a field that nobody reads. Raises `UnknownField`."""
    endpoint = request.endpoint or ""
    if request.method in ("GET", "HEAD") or endpoint not in FORMS:
        return
    unknown = sorted({name for name in _sent() if not takes(endpoint, name)})
    if unknown:
        note_unknown(unknown)
        shown = next((name for name in unknown if PLAIN.fullmatch(name)), "?")
        raise UnknownField(f"this form has no field {shown}", field=shown)


def note_unknown(names: Iterable[str]) -> None:
    """Keep what was refused for the audit log, which is written after the answer."""
    kept = [name if PLAIN.fullmatch(name) else "?" for name in names][:MOST_NOTED]
    g.unknown_fields = sorted(set(kept))


def _sent() -> Iterator[str]:
    """Yield the names of what was sent."""
    try:
        if request.is_json:
            body = request.get_json(silent=True)
            yield from body if isinstance(body, dict) else ()
        else:
            yield from request.form
            yield from request.files
    except RequestEntityTooLarge:
        # The view says beside the field that the body is too long, for its length alone tells
        # that again. What broke while it was read cannot be read again.
        if (request.content_length or 0) <= (request.max_content_length or 0):
            raise
