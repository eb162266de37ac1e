"""Plants a thousand people whose numbers and names exist nowhere else."""

from __future__ import annotations

import random
from dataclasses import dataclass, field

from sqlalchemy import text
from sqlalchemy.orm import Session
from stdnum.cn import ric

from grids.secrets import Vault, normal_id_number, normal_phone

SEED = 20_260_304
NUMBER = 1_000
#: Two characters that stand together in no other text; a masked name keeps only one.
MARK = "龘靐"
SIGNS = "一二三四五六七八九十百千万甲乙丙丁戊己庚辛壬癸子丑寅卯辰巳午未"


@dataclass
class Seeds:
    """What was planted, and by whom it may be seen."""

    ids: list[str] = field(default_factory=list)
    phones: list[str] = field(default_factory=list)
    names: list[str] = field(default_factory=lambda: [MARK])
    persons: dict[int, tuple[str, str]] = field(default_factory=dict)


def id_numbers(draw: random.Random, number: int) -> list[str]:
    """Draw resident numbers with good check digits, of a county that no test uses otherwise."""
    found: dict[str, None] = {}
    while len(found) < number:
        birth = f"{draw.randint(1940, 2015)}{draw.randint(1, 12):02d}{draw.randint(1, 28):02d}"
        body = f"110101{birth}{draw.randint(100, 999)}"
        found[body + ric.calc_check_digit(body)] = None
    return list(found)


def phones(draw: random.Random, number: int) -> list[str]:
    """Draw mobile numbers."""
    return [f"1{number}" for number in draw.sample(range(3_000_000_000, 9_999_999_999), number)]


def plant(session: Session, vault: Vault) -> Seeds:
    """Give a thousand residents, every reporter and every enterprise's contact new data."""
    # The city runs: its reminders lock many cases in an order of their own.
    session.execute(
        text("LOCK TABLE incident, incident_reporter, enterprise, person IN EXCLUSIVE MODE")
    )
    draw = random.Random(SEED)
    seeds = Seeds(id_numbers(draw, NUMBER), phones(draw, 3 * NUMBER))
    spare = iter(seeds.phones)
    names = (MARK + draw.choice(SIGNS) + draw.choice(SIGNS) for _ in iter(int, 1))
    rows = session.execute(text("SELECT id FROM person ORDER BY id LIMIT :n"), {"n": NUMBER})
    for (person_id,), number in zip(rows.all(), seeds.ids, strict=False):
        phone = next(spare)
        _seal(session, vault, "person", person_id, id_number=number, phone=phone, name=next(names))
        seeds.persons[person_id] = (number, phone)
    cases = session.execute(text("SELECT id FROM incident ORDER BY id LIMIT 500")).all()
    for (incident_id,) in cases:
        row_id = session.execute(
            text(
                "INSERT INTO incident_reporter (id, incident_id) VALUES (gen_random_uuid(), :i)"
                " RETURNING id"
            ),
            {"i": incident_id},
        ).scalar_one()
        _seal(session, vault, "incident_reporter", row_id, phone=next(spare), name=next(names))
    firms = session.execute(text("SELECT id FROM enterprise ORDER BY id LIMIT 400")).all()
    for (firm_id,) in firms:
        sealed = vault.seal("enterprise", firm_id, "contact_sealed", f"{next(names)} {next(spare)}")
        session.execute(
            text("UPDATE enterprise SET contact_sealed = :s WHERE id = :i"),
            {"s": sealed, "i": firm_id},
        )
    return seeds


PERSON = text(
    "UPDATE person SET name_sealed = :name, id_number_sealed = :number, id_number_index = :number_at,"
    " phone_sealed = :phone, phone_index = :phone_at WHERE id = :id"
)
REPORTER = text(
    "UPDATE incident_reporter SET name_sealed = :name, phone_sealed = :phone,"
    " phone_index = :phone_at WHERE id = :id"
)


def _seal(
    session: Session, vault: Vault, table: str, row_id: object, *, phone: str, name: str,
    id_number: str = "",
) -> None:  # fmt: skip
    values = {
        "id": row_id,
        "name": vault.seal(table, row_id, "name_sealed", name),
        "phone": vault.seal(table, row_id, "phone_sealed", phone),
        "phone_at": vault.blind_index(table, "phone", normal_phone(phone)),
    }
    if not id_number:
        session.execute(REPORTER, values)
        return
    values["number"] = vault.seal(table, row_id, "id_number_sealed", id_number)
    values["number_at"] = vault.blind_index(table, "id_number", normal_id_number(id_number))
    session.execute(PERSON, values)
