"""What is kept no longer: one table of rules, run every night, each deed certified and signed.

A rule removes rows in its transaction and hands back their ids; the certificate keeps the
count and a hash of the ids, in the same transaction and as a file. Files of photos follow
when the rows are gone for good.
"""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from procrastinate import JobContext
from sqlalchemy import ColumnElement, Engine, delete, select, update
from sqlalchemy.orm import Session

from grids import blobs
from grids.accounts.models import SignInFailure, SignInSession
from grids.addressing.models import AddressQuestion
from grids.certificates import Certificate, certify, write
from grids.channels.letter_models import Letter
from grids.disputes.models import Dispute, DisputeParty
from grids.incidents.models import Attachment, Blob, Incident, IncidentReporter
from grids.jobs import tasks, work_of
from grids.people.models import Person, PersonAccess, SubjectRequest
from grids.requests import RequestKey
from grids.secrets import Signer

YEAR: Final = timedelta(days=365)
RESIDENT: Final = 2 * YEAR
CONTACT: Final = YEAR
PHOTOS: Final = 3 * YEAR
PARTIES: Final = 3 * YEAR
RIGHTS: Final = 3 * YEAR
WHEREABOUTS: Final = timedelta(days=30)
REQUESTS: Final = timedelta(days=30)
FAILURES: Final = timedelta(days=180)
ADDRESSES: Final = timedelta(days=90)

Outcome = tuple[str, list[object]]  #: table, ids of the rows


@dataclass(frozen=True)
class Rule:
    """One kind of data that is kept for a time. `carry_out` removes it and names the rows."""

    name: str
    about: str
    keep: timedelta
    carry_out: Callable[[Session, datetime], Outcome]


@dataclass(frozen=True)
class Place:
    """Where files lie that go, and where certificates are written."""

    store: blobs.Store
    certificates: Path


def _persons(session: Session, until: datetime) -> Outcome:
    """Residents who moved away; a move was noted as a day."""
    return _removed(session, Person, Person.moved_out_on < until.date())


def _contacts(session: Session, until: datetime) -> Outcome:
    closed = select(Incident.id).where(Incident.closed_at < until)
    return _removed(session, IncidentReporter, IncidentReporter.incident_id.in_(closed))


def _parties(session: Session, until: datetime) -> Outcome:
    """Who took part in a dispute that ended long ago; what was agreed stays."""
    ended = select(Dispute.id).where(Dispute.ended_at < until)
    return _removed(session, DisputeParty, DisputeParty.dispute_id.in_(ended))


def _photos(session: Session, until: datetime) -> Outcome:
    """Photos of closed cases; the sweep of photos that nobody names takes the files."""
    closed = select(Incident.id).where(Incident.closed_at < until)
    return _removed(session, Attachment, Attachment.incident_id.in_(closed))


def _whereabouts(session: Session, until: datetime) -> Outcome:
    """Where a photo was taken: whereabouts of who took it."""
    done = session.execute(
        update(Blob)
        .where(Blob.taken_geom.is_not(None), Blob.created_at < until)
        .values(taken_geom=None)
        .returning(Blob.sha256)
    )
    return "blob", list(done.scalars())


def _accesses(session: Session, until: datetime) -> Outcome:
    return _removed(session, PersonAccess, PersonAccess.at < until)


def _subject_requests(session: Session, until: datetime) -> Outcome:
    return _removed(session, SubjectRequest, SubjectRequest.handled_at < until)


def _sign_ins(session: Session, until: datetime) -> Outcome:
    """Sign-ins that are over; their secret hash is not named, the row number is."""
    done = session.execute(
        delete(SignInSession).where(SignInSession.ends_at < until).returning(SignInSession.id)
    )
    return "sign_in_session", list(done.scalars())


def _failures(session: Session, until: datetime) -> Outcome:
    return _removed(session, SignInFailure, SignInFailure.at < until)


def _request_keys(session: Session, until: datetime) -> Outcome:
    return _removed(session, RequestKey, RequestKey.created_at < until)


def _letters(session: Session, until: datetime) -> Outcome:
    """Letters that were dealt with, their answers and pictures with them; the case stays."""
    return _removed(session, Letter, Letter.done_at < until)


def _questions(session: Session, until: datetime) -> Outcome:
    """Texts whose address was confirmed: what was learned of them stays, their words go."""
    return _removed(session, AddressQuestion, AddressQuestion.answered_at < until)


#: In this order: photos after the contacts, so that a case loses both in one night.
RULES: Final = (
    Rule("residents", "residents two years after moving out", RESIDENT, _persons),
    Rule("contacts", "how to reach reporters, one year after closing", CONTACT, _contacts),
    Rule("parties", "parties of disputes, three years after the end", PARTIES, _parties),
    Rule("photos", "photos of cases, three years after closing", PHOTOS, _photos),
    Rule("whereabouts", "where photos were taken, after 30 days", WHEREABOUTS, _whereabouts),
    Rule("accesses", "who looked at a record, after three years", RIGHTS, _accesses),
    Rule("requests", "what residents asked, three years after the answer", RIGHTS,
         _subject_requests),
    Rule("sign_ins", "sign-ins that are over", timedelta(0), _sign_ins),
    Rule("failures", "failed sign-ins, after 180 days", FAILURES, _failures),
    Rule("letters", "letters, one year after they were dealt with", CONTACT, _letters),
    Rule("addresses", "questions about addresses, 90 days after the answer", ADDRESSES, _questions),
    Rule("answers", "answers kept for repeated writes, after 30 days", REQUESTS, _request_keys),
)  # fmt: skip
#: Kept by another hand: exports expire by their own job, the audit log by `wangge audit retire`
#: (180 days or longer), counts of the hour and finished jobs by the housekeeping.
RUN: Final = "retention_run"


def run_all(
    engine: Engine,
    signer: Signer,
    place: Place,
    *,
    now: datetime,
    only: Collection[str] | None = None,
) -> list[Certificate]:
    """Carry the rules out, each in its transaction; return the certificates.

    One for each rule that removed something, and one of the run with the count of every rule.
    """
    made: list[Certificate] = []
    counts: dict[str, int] = {}
    for rule in RULES:
        if only is not None and rule.name not in only:
            continue
        until = now - rule.keep
        with Session(engine, expire_on_commit=False) as session, session.begin():
            table, ids = rule.carry_out(session, until)
            counts[rule.name] = len(ids)
            if ids:
                made.append(
                    certify(session, signer, rule.name, until=until, now=now,
                            counts={table: len(ids)}, ids=ids)
                )  # fmt: skip
    if counts.get("photos"):
        with Session(engine) as session:
            blobs.sweep(session, place.store, now=now)
    with Session(engine, expire_on_commit=False) as session, session.begin():
        made.append(certify(session, signer, RUN, until=now, now=now, counts=counts, ids=[]))
    for certificate in made:
        write(certificate, signer.public_keys(), place.certificates)
    return made


@tasks.periodic(cron="40 18 * * *")
@tasks.task(name="keep_no_longer", queueing_lock="keep_no_longer", pass_context=True)
def keep_no_longer(context: JobContext, timestamp: int) -> None:
    """Carry the rules out by night in the city."""
    work = work_of(context)
    if work.signer is None or work.certificates_dir is None:
        raise RuntimeError("the worker was started without a signer: nothing can be certified")
    place = Place(blobs.Store(work.blob_dir), work.certificates_dir)
    run_all(work.engine, work.signer, place, now=datetime.fromtimestamp(timestamp, UTC))


def _removed(session: Session, model: Any, which: ColumnElement[bool]) -> Outcome:
    """Delete rows and return their ids."""
    wanted = delete(model).where(which).returning(model.id)
    # Nothing of these rows is in the session: it need not look for them.
    done = session.execute(wanted, execution_options={"synchronize_session": False})
    return str(model.__tablename__), list(done.scalars())
