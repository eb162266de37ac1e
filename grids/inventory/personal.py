"""Every column that speaks of a person, with level, purpose, ground, retention and who may see it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Personal:
    """One column of personal data. `who` is a permission, or what stands in its place."""

    level: str  #: L3 sensitive, L4 very sensitive; L2 for staff in their office
    subject: str  #: resident, reporter, staff, enterprise
    purpose: str
    basis: str
    retention: str
    who: str


#: Named grounds that many columns share.
_RESIDENT: Final = Personal(
    "L3", "resident", "service", "legal_duty", "resident_2y", "person:reveal"
)
_COUNTED: Final = Personal("L3", "resident", "counts", "legal_duty", "resident_2y", "person:find")
_KEEPS: Final = Personal("L2", "staff", "proof", "employment", "resident_2y", "person:find")
_RIGHTS: Final = Personal("L3", "resident", "rights", "legal_duty", "years_3", "subject:handle")
_REPORTER: Final = Personal(
    "L3", "reporter", "call_back", "consent", "closed_1y", "reporter:reveal"
)
_STAFF: Final = Personal("L2", "staff", "sign_in", "employment", "employed", "admin:system")
_SECRET: Final = Personal("L3", "staff", "sign_in", "employment", "employed", "nobody")
_ACT: Final = Personal("L2", "staff", "proof", "employment", "case", "incident:view")
_PARTY: Final = Personal("L3", "party", "mediation", "legal_duty", "ended_3y", "dispute:parties")
_PAPER: Final = Personal("L3", "party", "mediation", "legal_duty", "dispute", "dispute:view")
_WRITER: Final = Personal("L3", "reporter", "call_back", "consent", "letter_1y", "reporter:reveal")
_LETTER: Final = Personal("L3", "reporter", "case", "consent", "letter_1y", "letter:view")
_MEDIATES: Final = Personal("L2", "staff", "proof", "employment", "dispute", "dispute:view")
_INSPECTS: Final = Personal("L2", "staff", "proof", "employment", "hazard", "hazard:view")
_PLACE: Final = Personal("L3", "resident", "addresses", "legal_duty", "asked_90", "address:answer")
_SAYS: Final = Personal("L2", "staff", "addresses", "employment", "employed", "address:answer")
_LOG: Final = Personal("L3", "staff", "accountability", "network_law", "days_180", "admin:audit")


def _each(personal: Personal, table: str, columns: str) -> dict[str, Personal]:
    return {f"{table}.{column}": personal for column in columns.split()}


PERSONAL: Final[dict[str, Personal]] = {
    **_each(_RESIDENT, "person", "name_sealed birth_sealed"),
    "person.phone_sealed": Personal(
        "L3", "resident", "service", "consent", "resident_2y", "person:reveal"
    ),
    "person.name_index": Personal(
        "L3", "resident", "search", "legal_duty", "resident_2y", "nobody"
    ),
    "person.phone_index": Personal("L3", "resident", "search", "consent", "resident_2y", "nobody"),
    "person.id_number_sealed": Personal(
        "L4", "resident", "service", "legal_duty", "resident_2y", "person:reveal"
    ),
    "person.id_number_index": Personal(
        "L4", "resident", "search", "legal_duty", "resident_2y", "nobody"
    ),
    **_each(
        _COUNTED, "person", "household_id age_band relation residency cell_id grid_id area_code"
    ),
    **_each(_COUNTED, "person", "moved_in_on moved_out_on"),
    **_each(_COUNTED, "person_event", "person_id kind occurred_on recorded_at source"),
    **_each(_COUNTED, "person_event", "from_household_id from_since from_until from_relation"),
    **_each(_COUNTED, "person_event", "to_household_id to_relation withdrawn_at"),
    **_each(_KEEPS, "person_event", "recorded_by withdrawn_by"),
    **_each(_COUNTED, "household", "dwelling_id kind cell_id grid_id area_code ended_on"),
    # Which flats were drawn for a told count: chance, kept so that it cannot be averaged away.
    "people_draw.kinds": Personal(
        "L3", "resident", "counts", "legal_duty", "resident_2y", "nobody"
    ),
    **_each(_RIGHTS, "person_access", "person_id account_id act field purpose case_number at"),
    **_each(_RIGHTS, "subject_request", "person_id area_code kind channel identity_checked"),
    **_each(_RIGHTS, "subject_request", "status reason result received_by handled_by"),
    **_each(_REPORTER, "incident_reporter", "name_sealed phone_sealed"),
    "incident_reporter.phone_index": Personal(
        "L3", "reporter", "search", "consent", "closed_1y", "nobody"
    ),
    **_each(_ACT, "incident", "text holder_id handler_id reporter_id"),
    **_each(_ACT, "incident_event", "actor_id device device_at note"),
    **_each(_ACT, "held_move", "account_id sent"),
    # Where a step was taken: proof that somebody was at the place of the case.
    "incident_event.geom": Personal("L3", "staff", "proof", "employment", "case", "incident:view"),
    **_each(_PARTY, "dispute_party", "name_sealed phone_sealed"),
    "dispute_party.phone_index": Personal(
        "L3", "party", "search", "legal_duty", "ended_3y", "nobody"
    ),
    **_each(_PAPER, "dispute", "text"),
    **_each(_PAPER, "dispute_event", "note data"),
    **_each(_PAPER, "dispute_paper", "present_sealed body_sealed"),
    **_each(_PAPER, "dispute_term", "text_sealed"),
    **_each(_WRITER, "letter", "sender_sealed message_id_sealed"),
    "letter.sender_index": Personal("L3", "reporter", "search", "consent", "letter_1y", "nobody"),
    **_each(_LETTER, "letter", "subject_sealed text_sealed"),
    **_each(_LETTER, "letter_answer", "text_sealed"),
    **_each(_MEDIATES, "dispute", "registrar_id holder_id"),
    **_each(_MEDIATES, "dispute_event", "actor_id"),
    **_each(_INSPECTS, "hazard", "registrar_id holder_id"),
    **_each(_INSPECTS, "hazard_event", "actor_id note"),
    **_each(_INSPECTS, "inspection", "inspector_id"),
    **_each(_INSPECTS, "visit", "worker_id"),
    **_each(_INSPECTS, "observation", "worker_id"),
    "observation.value": Personal(
        "L3", "resident", "service", "legal_duty", "resident_2y", "visit:make"
    ),
    **_each(_PLACE, "address_question", "text normal candidates"),
    **_each(_SAYS, "address_question", "answered_by"),
    **_each(_SAYS, "address_alias", "learned_by"),
    **_each(_ACT, "blob", "account_id taken_at"),
    "blob.taken_geom": Personal("L3", "staff", "proof", "employment", "days_30", "nobody"),
    "enterprise.contact_sealed": Personal(
        "L3", "enterprise", "contact", "legal_duty", "while_open", "enterprise:view"
    ),
    **_each(_STAFF, "account", "login name signed_in_at"),
    **_each(_SECRET, "account", "password_hash"),
    **_each(_SECRET, "past_password", "password_hash"),
    **_each(_SECRET, "second_factor", "secret_sealed"),
    **_each(_SECRET, "outbox_receiver", "secret_sealed"),
    **_each(_SECRET, "import_connection", "password_sealed"),
    **_each(_SECRET, "recovery_code", "code_hash"),
    **_each(_STAFF, "linked_identity", "issuer subject"),
    **_each(_STAFF, "assignment", "account_id role area_code"),
    **_each(_STAFF, "api_token", "account_id used_from used_at"),
    "shift.starts_at": Personal("L2", "staff", "duty", "employment", "employed", "duty:view"),
    "shift.ends_at": Personal("L2", "staff", "duty", "employment", "employed", "duty:view"),
    **_each(
        Personal("L3", "staff", "sign_in", "employment", "session", "the account itself"),
        "sign_in_session",
        "account_id agent source seen_at",
    ),
    **_each(_LOG, "sign_in_failure", "source login_hash"),
    **_each(_LOG, "audit_event", "actor_id subject source_ip detail"),
    **_each(_LOG, "alarm", "account_id subject"),
}
