"""A raw dump of the database tells nothing of a thousand people (S31)."""

import os
import subprocess
from datetime import date, timedelta

import pytest
from sqlalchemy import create_engine
from sqlalchemy.orm import Session
from sqlalchemy.pool import NullPool

from app import cluster
from app.config import as_role
from grids.incidents import service
from grids.incidents.requests import Contact
from tests.support.cases import NOON, VAULT, build_city, make_actor, make_photo, report
from tests.support.people import add_household, add_person, id_number

PERSONS = 330  # a number, a phone and a birth date each; the rest are reporters


@pytest.fixture
def seeded(empty_database):
    """Seed a thousand values; return the address of the database and the values."""
    engine = create_engine(
        as_role(empty_database, "wangge_owner", "none").replace(
            "postgresql:", "postgresql+psycopg:"
        ),
        poolclass=NullPool,
    )
    values = set()
    with Session(engine) as session, session.begin():
        build_city(session)
        household = add_household(session, "339901001001001")
        for number in range(PERSONS):
            born = date(1950, 1, 1) + timedelta(days=37 * number)
            person = id_number(born, number)
            name, phone = f"甲乙丙{chr(0x4E00 + 7 * number)}丁", f"157{number:08d}"
            add_person(session, VAULT, household, number=person, name=name, phone=phone)
            values |= {person, name, phone}
        photo, worker = make_photo(session), make_actor(session, "worker")
        for number in range(10):
            contact = Contact(f"戊己庚{chr(0x5E00 + number)}辛", f"159{number:08d}")
            sent = report(photos=(photo,), contact=contact)
            service.submit(session, sent, worker, now=NOON, vault=VAULT)
            values |= {contact.name, contact.phone}
    engine.dispose()
    return empty_database, values


def test_a_dump_contains_none_of_a_thousand_seeded_values(seeded):
    url, values = seeded
    dump = subprocess.run(
        [str(cluster.server_bin() / "pg_dump"), "--no-owner", url], capture_output=True, check=True,
        env={**os.environ, "PGCONNECT_TIMEOUT": "10"},
    ).stdout  # fmt: skip

    assert len(values) >= 1000
    assert b"COPY public.person " in dump
    assert b"incident_reporter" in dump
    found = [v for v in values if v.encode() in dump or v.encode().hex().encode() in dump]
    assert found == []
