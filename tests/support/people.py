"""Residents for tests, sealed as an installation seals them; numbers of a county that is none."""

from datetime import date

from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.people import Person
from grids.secrets import Vault, local, normal_name

WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)


def id_number(birth: date, sequence: int, region: str = "339901") -> str:
    """Write a resident number (GB 11643) with its check digit."""
    body = f"{region}{birth:%Y%m%d}{sequence:03d}"
    total = sum(int(digit) * weight for digit, weight in zip(body, WEIGHTS, strict=True))
    return body + "10X98765432"[total % 11]


def add_household(session: Session, area_code: str, *, room: str = "302") -> int:
    """Store a dwelling in a building with an address, and a household in it."""
    address = session.scalar(
        text(
            "INSERT INTO address (text, geom, cell_id, area_code)"
            " VALUES ('样城和平路12号3幢1单元302室', ST_SetSRID(ST_MakePoint(120.05, 29.3), 4490), 1, :a)"
            " RETURNING id"
        ),
        {"a": area_code},
    )
    building = session.scalar(
        text(
            "INSERT INTO building (kind, area_m2, address_id, geom, cell_id, area_code)"
            " VALUES ('residential', 400, :address, ST_Multi(ST_MakeEnvelope(120.05, 29.3, 120.0502,"
            " 29.3002, 4490)), 1, :a) RETURNING id"
        ),
        {"address": address, "a": area_code},
    )
    dwelling = session.scalar(
        text(
            "INSERT INTO dwelling (building_id, use, unit, room)"
            " VALUES (:b, 'own', '1', :room) RETURNING id"
        ),
        {"b": building, "room": room},
    )
    household = session.scalar(
        text(
            "INSERT INTO household (dwelling_id, kind, cell_id, area_code)"
            " VALUES (:d, 'family', 1, :a) RETURNING id"
        ),
        {"d": dwelling, "a": area_code},
    )
    assert isinstance(household, int)
    return household


def add_person(
    session: Session,
    vault: Vault,
    household: int,
    *,
    number: str,
    name: str = "样本人",
    phone: str | None = None,
    area_code: str = "339901001001001",
    moved_out_on: date | None = None,
) -> Person:
    """Store one resident; the birth date is that of the number."""
    key = session.scalar(text("SELECT nextval(pg_get_serial_sequence('person', 'id'))"))
    birth = date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    person = Person(
        id=key,
        household_id=household,
        name_sealed=vault.seal("person", key, "name_sealed", name),
        name_index=vault.blind_index("person", "name", local(normal_name(name), area_code)),
        id_number_sealed=vault.seal("person", key, "id_number_sealed", number),
        id_number_index=vault.blind_index("person", "id_number", number),
        phone_sealed=vault.seal("person", key, "phone_sealed", phone) if phone else None,
        phone_index=vault.blind_index("person", "phone", phone) if phone else None,
        birth_sealed=vault.seal("person", key, "birth_sealed", birth.isoformat()),
        age_band="0-5" if birth.year > 2021 else "6-14" if birth.year > 2012 else "15-59",
        relation="head",
        residency="registered",
        cell_id=1,
        area_code=area_code,
        moved_in_on=date(2020, 1, 1),
        moved_out_on=moved_out_on,
    )
    session.add(person)
    session.flush()
    return person
