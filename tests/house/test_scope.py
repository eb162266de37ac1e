"""S15: nobody reads scoped rows around the one query builder."""

from pathlib import Path

import pytest

from app.config import ROOT
from tests.house.scope_rule import findings, module_of, sql_findings

#: Place -> why it reads scoped rows without the caller's condition. A line that nobody needs
#: any longer fails too.
ALLOWED = {
    # Children of a case that the same function, or its only callers, have just read in scope.
    "grids/incidents/detail:detail": "events of the case that the first statement found",
    "grids/incidents/detail:photos_of": "photos of a case that every caller has read in scope",
    "grids/incidents/records:log_of": "events of the case that `locked` has read in scope",
    "grids/incidents/records:_clocks": "clocks of the case that `locked` has read in scope",
    "grids/incidents/records:_tasks": "sub-tasks of the case that `locked` has read in scope",
    "grids/incidents/merging:follow": "the link of two cases that `locked` has read in scope",
    "grids/incidents/projection:rebuilt": "rebuilds a case for tests and repair, as the owner",
    "grids/reminders/telling:plan": "the worker's look at running clocks; nobody reads them",
    "grids/reminders/telling:tell": "the worker's look at running clocks; nobody reads them",
    "grids/reminders/telling:_told": "a reminder that the worker writes into the case",
    "grids/incidents/checks:limit_of_case": "the first event of the case that `locked` has read",
    "grids/reminders/recomputing:_touched": "the worker measures every open limit again",
    "grids/reminders/recomputing:_logs": "the worker measures every open limit again",
    "grids/reminders/recomputing:_again": "the worker measures every open limit again",
    "grids/people/reporters:reveal": "contacts of the case that the statement before found",
    "grids/people/reporters:has_contact": "says yes or no of a case that the caller has read",
    # A right that is no area: a secret code, an own report, the hash of a photo.
    "grids/incidents/tracking:tracked": "the case that a secret code has opened",
    "grids/incidents/tracking:log_of": "events of the case that a code has opened",
    "grids/incidents/tracking:leading": "the case that it was merged into, opened by name",
    "grids/following:follow": "the case that a code has opened",
    "grids/following:reported_by": "what the caller has reported, wherever it lies",
    "grids/channels/links:read": "the case that the secret of a link has opened",
    "grids/incidents/requests:answer_of": "the own report, sent again",
    "grids/incidents/checks:require_photos": "whether a photo was sent, by its hash",
    "grids/blobs:store_photo": "whether a photo was sent, by its hash",
    "grids/blobs:photo_copy": "own photos, or those of a case in scope (`in_scope`)",
    # The one source that callers complete; the rule asks each call of it for the condition.
    "grids/incidents/listing/rows:rows_at": "callers add the condition, and the rule checks them",
    "grids/layers/hazard:": "a source of the map: `layers.access.condition` completes it",
    "grids/layers/registry:": "a source of the map: `layers.access.condition` completes it",
    # What hangs on a dispute that the statement before found or locked in scope.
    "grids/disputes/parties:papers": "papers of the dispute that the statement before found",
    "grids/disputes/parties:reveal": "parties of the dispute that the statement before found",
    "grids/disputes/service:_latest_agreement": "papers of the dispute that `take` has locked",
    "grids/disputes/service:_open_terms": "terms of the dispute that `take` has locked",
    "grids/disputes/service:_perform": "terms of the dispute that `take` has locked",
    "grids/flows/taking:_photos": "photos by the hash of their content",
    "grids/hazards/service:escalate_overdue": "the worker gives what is overdue to departments",
    "grids/facts/corrections:": "the areas of the caller are bound in the statement; the worker closes lines",
    "grids/facts/asking:": "the worker makes questions; an answer opens the next behind the row policy",
    "grids/ledgers/visits:_require_photos": "photos by the hash of their content",
    "grids/retention:_parties": "the worker's retention",
    # Rules about residents are judged by the worker; what leaves are counts of ten and more.
    "grids/quality/residents:": "the worker counts which residents fail; boxes alone are written",
    # Rules of quality judge registers of things; what they look up there is which were visited.
    "grids/quality/rules:_stale": "whether somebody was there, not what was seen",
    "grids/quality/rules:_untrue": "whether a visit found a thing otherwise, not what was seen",
    # Responsibility: the worker watches every case; people read arbitrations in scope.
    "grids/sql/responsibility:trial_month": "the worker counts a year under two versions",
    "grids/responsibility/watch:detect": "the worker looks for cases that are passed on",
    "grids/incidents/people:responsible": "the case whose form the caller has read in scope",
    "grids/incidents/sampling/rounds:_population": "the worker draws from a day's closed cases",
    "grids/incidents/people:decided_alike": "the case whose form the caller has read in scope",
    "grids/responsibility/arbitration:parties_of": "tasks of the case that the caller has read",
    "grids/responsibility/arbitration:returned_by": "events of the case that the caller has read",
    # Work of the owner, the worker and the sealer, which serve nobody in particular.
    "grids/outbox/sending:_facts": "the worker words a message: number, category and state",
    "grids/outbox/sending:_phone": "the worker opens the number that a message goes to",
    **dict.fromkeys(
        (f"grids/sql/watch:{name}" for name in (
            "chosen", "events", "feed", "feed_extra", "owners", "clocks", "told",
            "channel_cases", "photos", "attachments", "stuck",
        )),
        "the worker holds tables against each other and looks for stuck cases",
    ),
    "grids/watch/reconcile:_rows": "the worker folds cases anew",
    "grids/watch/reconcile:_log": "the worker folds cases anew",
    "grids/channels/transfers:watch": "the worker's look at late transfers",
    "grids/channels/letters:view": "pictures of the letter that the statement before found",
    "grids/channels/letters:photo": "pictures of the letter that the statement before found",
    "grids/channels/letters:_case_number": "the case that the letter in scope has become",
    "grids/blobs:sweep": "the worker removes photos that no report names",
    "grids/blobs:verify_store": "the owner compares rows with files",
    "grids/blobs:_remove_unnamed": "the worker removes files that no row names",
    "grids/feed/sealing:": "the sealer takes every event",
    "grids/feed/verifying:": "the owner verifies every event",
    "grids/retention:_contacts": "the worker's retention",
    "grids/retention:_photos": "the worker's retention",
    "grids/retention:_whereabouts": "the worker's retention",
    "grids/linking:": "the owner links rows to new grids",
    "grids/regrid/fabric:": "the worker counts cases by patch; only sums leave",
    "grids/regrid/handing:refile": "the worker files cases of the day in its versions",
    "grids/regrid/handing:hand_over_cases": "the worker lets open cases follow their grid",
    "grids/regrid/handing:_follow": "the worker writes the event into the case",
    "grids/regrid/handing:hand_over_hazards": "the worker lets open hazards follow their grid",
    "grids/regrid/handing:_follow_hazard": "the worker writes the event into the hazard",
    "grids/importing/replace:refuse_to_lose_cases": "the owner asks whether cases exist",
    "grids/synth/build:_opened": "the owner asks whether cases exist",
    "grids/sql/people:persons_by_kind": "the worker counts; only k >= 10 leaves",
    "grids/sql/people:persons_by_group": "the worker counts; only k >= 10 leaves",
    "grids/sql/people:households_by_area": "the worker counts; only k >= 10 leaves",
    # The audit log has no areas: who may read it is a permission (admin:audit, admin:security).
    "grids/audit/reading:_wanted": "the audit administrator's reading",
    "grids/audit/reading:chain_state": "the state of the chain",
    "grids/audit/retiring:_detach": "the owner retires whole months",
    "grids/audit/sealing:": "the sealer takes every row",
    "grids/audit/verifying:": "the verifier walks every row",
    "grids/audit/verifying:_Walk._why_missing": "the verifier names the first bad row",
    **dict.fromkeys(
        (f"grids/sql/signals:{name}" for name in (
            "by_account", "by_source", "accounts_of_source", "sources_of_account", "guessed",
            "records_of_account", "rows_of_account", "night_of_account", "sleeper", "count_hours",
        )),
        "the security watch counts acts of everybody",
    ),
}  # fmt: skip

HOLES = {
    "a plain select": "session.scalars(select(Incident))",
    "one column": "session.scalar(select(Incident.number).limit(1))",
    "by key": "session.get(Person, 1)",
    "by key, at once": "session.get_one(Incident, incident_id)",
    "the old query": "session.query(Attachment).all()",
    "a count": "session.scalar(select(func.count()).select_from(select(Blob.sha256).subquery()))",
    "a change": "session.execute(update(Incident).values(text=''))",
    "a removal": "session.execute(delete(IncidentTask))",
    "a join": "session.execute(select(Category, Incident).join(Incident))",
    "the list's source, bare": "session.execute(rows_at(now).limit(5))",
    "raw words": "session.execute(text('SELECT * FROM incident WHERE id = :id'))",
    "raw words, joined": "conn.execute('SELECT 1 FROM area JOIN person ON true')",
    "in a with": "with session.scalars(select(Incident)) as found:\n        pass",
    "in a loop": "for row in session.scalars(select(AuditEvent)):\n        pass",
    "in a condition": "if session.get(Household, 3):\n        pass",
    "another model's condition": "session.scalars(select(Person).where(scope.condition(a, Area)))",
    "a condition next door": "scope.condition(actor, Incident)\n    session.scalars(select(Incident))",
}
SOUND = {
    "in the statement": "session.scalars(select(Incident).where(scope.condition(actor, Incident)))",
    "handed over": "wanted = select(Person)\n    session.scalar(scope.visible(wanted, actor, Person))",
    "wrapped": "session.scalar(scope.visible(select(Incident), actor, Incident))",
    "the list's source": "rows_at(now).where(scope.condition(actor, Incident))",
    "another table": "session.scalars(select(Category)); session.get(Area, code)",
    "words that are no SQL": "raise NoIncident('no incident from here')",
}


def findings_here() -> set[str]:
    found = set()
    for room in ("grids", "app"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts and path.parent.name != "scope":
                found |= {f.place for f in findings(path.read_text(), module_of(path, ROOT))}
        for path in sorted((ROOT / room).rglob("*.sql")):
            found |= {f.place for f in sql_findings(path.read_text(), module_of(path, ROOT))}
    return found


def test_scoped_rows_are_read_through_the_builder() -> None:
    around = findings_here() - ALLOWED.keys()

    assert around == set(), "add the condition of grids.scope, or a line with its reason here"


def test_the_list_of_exceptions_holds_nothing_that_is_over() -> None:
    assert ALLOWED.keys() - findings_here() == set()


def test_no_face_reads_scoped_rows_itself() -> None:
    """Views call services: nothing in `app` is on the list."""
    assert {place for place in ALLOWED if place.startswith("app/")} == set()


@pytest.mark.parametrize("body", HOLES.values(), ids=HOLES.keys())
def test_the_rule_finds_a_planted_offence(body: str) -> None:
    source = f"def view(session, actor, now):\n    {body}\n"

    assert [f.place for f in findings(source, "grids/planted")] == ["grids/planted:view"]


@pytest.mark.parametrize("body", SOUND.values(), ids=SOUND.keys())
def test_the_rule_lets_sound_code_be(body: str) -> None:
    source = f"def view(session, actor, now):\n    {body}\n"

    assert findings(source, "grids/planted") == []


def test_the_rule_reads_sql_files(tmp_path: Path) -> None:
    text = "-- name: loose\n-- from incident, in words\nSELECT *\nFROM incident_event AS e\n"

    assert [(f.place, f.what) for f in sql_findings(text, "grids/sql/x")] == [
        ("grids/sql/x:loose", "incident_event")
    ]
