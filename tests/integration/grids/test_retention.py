"""What is kept no longer is gone everywhere, and a signed certificate says so (S38)."""

import json
import os
from datetime import UTC, date, datetime, timedelta

import pytest
from sqlalchemy import create_engine, select, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app.config import as_role
from grids import blobs
from grids.certificates import Certificate, hash_of_ids, is_genuine
from grids.db import Base
from grids.incidents import service
from grids.incidents.models import Attachment, Blob, IncidentReporter
from grids.incidents.requests import Contact
from grids.people import Person
from grids.people.models import PersonAccess, PersonEvent
from grids.retention import RULES, RUN, Place, run_all
from grids.secrets import SEALED, Signer, fixed_ring
from tests.support.cases import VAULT, build_city, make_actor, photo_bytes, report
from tests.support.people import add_household, add_person, id_number

NOW = datetime.now(UTC)
SIGNER = Signer(fixed_ring({1: bytes(range(32))}, bytes(range(32, 64))))
GONE_NUMBER, KEPT_NUMBER = id_number(date(1970, 3, 3), 5), id_number(date(1971, 3, 3), 7)
GONE_PHONE, KEPT_PHONE = "13700137000", "13600136000"


@pytest.fixture
def engine(empty_database):
    """The database of this test, as the worker at night sees it."""
    made = create_engine(
        as_role(empty_database, "wangge_worker", "none").replace(
            "postgresql:", "postgresql+psycopg:"
        ),
        poolclass=NullPool,
    )
    yield made
    made.dispose()


@pytest.fixture
def owner(empty_database):
    """The same database for who looks into every table."""
    made = create_engine(
        as_role(empty_database, "wangge_owner", "none").replace(
            "postgresql:", "postgresql+psycopg:"
        ),
        poolclass=NullPool,
    )
    yield made
    made.dispose()


@pytest.fixture
def place(tmp_path):
    return Place(blobs.Store(tmp_path / "blobs"), tmp_path / "certificates")


@pytest.fixture
def subjects(owner, place):
    """Somebody whose time is over and somebody whose time is not, in every table."""
    with Session(owner) as session, session.begin():
        build_city(session)
        household = add_household(session, "339901001001001")
        gone = add_person(session, VAULT, household, number=GONE_NUMBER, phone=GONE_PHONE,
                          moved_out_on=(NOW - timedelta(days=731)).date())  # fmt: skip
        kept = add_person(session, VAULT, household, number=KEPT_NUMBER, phone=KEPT_PHONE,
                          moved_out_on=(NOW - timedelta(days=729)).date())  # fmt: skip
        worker = make_actor(session, "worker")
        for person, days in ((gone, 3 * 365 + 1), (kept, 3 * 365 - 1)):
            session.add(PersonEvent(
                person_id=person.id, kind="move_out", occurred_on=person.moved_out_on, source="police",
                recorded_at=NOW, from_household_id=household, from_since=person.moved_in_on,
            ))  # fmt: skip
            session.add(PersonAccess(at=NOW - timedelta(days=days), person_id=person.id, act="find",
                                     account_id=worker.account_id, purpose="home_visit"))  # fmt: skip
        cases = {}
        for phone, days, colour in ((GONE_PHONE, 3 * 365 + 1, "red"), (KEPT_PHONE, 364, "blue")):
            cases[phone] = _case(session, place, worker, phone, days, colour)
        ids = {"gone": gone.id, "kept": kept.id, "case": cases[GONE_PHONE]}
        session.flush()
        photos = dict(session.execute(select(Attachment.incident_id, Attachment.sha256)).all())
    return {**ids, "photo": photos[ids["case"]], "photos": set(photos.values())}


def _case(session, place, worker, phone, days, colour):
    """Report a case with a photo and a contact, closed so many days ago."""
    from grids.city import the_city

    closed = NOW - timedelta(days=days)
    sha256 = place.store.put("original", photo_bytes(colour))
    public = place.store.put("public", photo_bytes(colour, (32, 24)))
    for room, name in (("original", sha256), ("public", public)):
        os.utime(place.store.path(room, name), (closed.timestamp(), closed.timestamp()))
    session.add(
        Blob(sha256=sha256, size=1, media_type="image/jpeg", width=64, height=48,
             public_sha256=public, thumb_sha256=public, created_at=closed,
             account_id=worker.account_id)
    )  # fmt: skip
    session.flush()
    session.execute(
        text("UPDATE blob SET taken_geom = ST_SetSRID(ST_MakePoint(120.05, 29.3), 4490)"
             " WHERE sha256 = :s"), {"s": sha256}
    )  # fmt: skip
    assert the_city(session)
    sent = report(photos=(sha256,), contact=Contact("样本人", phone), text="井盖松动")
    service.submit(session, sent, worker, now=NOW, vault=VAULT)
    session.execute(
        text("UPDATE incident SET closed_at = :at, status = 'closed' WHERE id = :id"),
        {"at": closed, "id": sent.id},
    )
    return sent.id


def everything_opened(session):
    """Open every sealed value of the database."""
    found = set()
    for column in SEALED:
        table = Base.metadata.tables[column.table]
        (key,) = table.primary_key.columns
        for row_id, sealed in session.execute(select(key, table.c[column.column])):
            if sealed is not None:
                found.add(VAULT.open(column.table, row_id, column.column, sealed))
    return found


def test_an_expired_subject_is_found_nowhere_and_the_other_everywhere(
    engine, owner, place, subjects
):
    made = run_all(engine, SIGNER, place, now=NOW)

    with Session(owner) as session:
        opened = everything_opened(session)
        assert {KEPT_NUMBER, KEPT_PHONE} <= opened
        assert not {GONE_NUMBER, GONE_PHONE} & opened
        for column, number in (("id_number", GONE_NUMBER), ("phone", GONE_PHONE)):
            indexes = VAULT.blind_indexes("person", column, number)
            assert session.scalars(
                select(Person.id).where(getattr(Person, f"{column}_index").in_(indexes))
            ).all() == []  # fmt: skip
        indexes = VAULT.blind_indexes("incident_reporter", "phone", GONE_PHONE)
        wanted = select(IncidentReporter.id).where(IncidentReporter.phone_index.in_(indexes))
        assert session.scalars(wanted).all() == []
        assert session.scalars(select(PersonAccess.person_id)).all() == [subjects["kept"]]
        assert session.scalars(select(PersonEvent.person_id)).all() == [subjects["kept"]]
        assert session.scalars(select(Blob.taken_geom)).all() == [None]
        assert session.get(Person, subjects["gone"]) is None
        assert session.get(Person, subjects["kept"]) is not None
    files = {path.name for _, path in place.store.files()}
    assert not any(subjects["photo"] in name for name in files)
    assert any((subjects["photos"] - {subjects["photo"]}).pop() in name for name in files)
    assert {c.rule for c in made} >= {"residents", "contacts", "photos", "accesses", RUN}


def test_each_certificate_is_signed_and_names_nobody(engine, place, subjects):
    made = run_all(engine, SIGNER, place, now=NOW)

    by_rule = {certificate.rule: certificate for certificate in made}
    files = sorted(place.certificates.iterdir())
    assert len(files) == len(made)
    keys = SIGNER.public_keys()
    for path in files:
        document = json.loads(path.read_text())
        assert is_genuine(document, keys)
        document["certificate"]["counts"] = {"person": 0}
        assert not is_genuine(document, keys)
        written = path.read_text()
        assert not any(s in written for s in (GONE_NUMBER, GONE_PHONE, "样本人"))
    assert by_rule["residents"].body["counts"] == {"person": 1}
    assert by_rule["residents"].body["ids_sha256"] == hash_of_ids([subjects["gone"]])
    with Session(engine) as session:
        assert session.query(Certificate).count() == len(made)


def test_a_second_night_removes_nothing_more(engine, place, subjects):
    run_all(engine, SIGNER, place, now=NOW)

    (again,) = run_all(engine, SIGNER, place, now=NOW)

    assert again.rule == RUN
    assert again.body["counts"] == {rule.name: 0 for rule in RULES}


def test_the_worker_has_the_rules_in_its_queue():
    from grids.jobs import queue

    tasks = queue("postgresql://nobody@localhost/none").tasks

    assert "wangge:keep_no_longer" in tasks
