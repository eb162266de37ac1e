"""Visits for tests: who goes where, and answers to everything that a form asks."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import text
from sqlalchemy.orm import Session

from grids.accounts import Actor
from grids.flows.once import Answer
from grids.ledgers import forms, visits
from grids.ledgers.asking import Asked, needed, sheet
from grids.ledgers.questions import Form, Question
from grids.ledgers.subjects import subject_of
from grids.ledgers.visits import Sent
from tests.support.cases import NOON, WEST, make_photo
from tests.support.flows import make_premises

USUAL: Mapping[str, Any] = {
    "number": 12,
    "text": "稀料 20 L",
    "date": "2026-03-01",
    "place": list(WEST),
}


def answer(question: Question) -> Any:
    """Answer a question with its first choice, or with something usual."""
    if question.options:
        code = question.options[0].code
        return [code] if question.type == "many" else code
    return USUAL[question.type]


@dataclass
class Round:
    """A worker on the round, with a clock that the test turns."""

    session: Session
    worker: Actor
    now: datetime = NOON

    def forms(self, *names: str) -> list[Form]:
        live = forms.live(self.session, forms.day_of(self.session, self.now))
        return [form for form in live if form.form in names]

    def sheet(self, subject: str, key: int, *names: str) -> tuple[Asked, ...]:
        one = subject_of(self.session, self.worker, subject, key)
        known = visits.known_of(self.session, self.worker, one)
        return sheet(self.forms(*names), known, self.now)

    def answers(self, subject: str, key: int, *names: str, **given: Any) -> dict[str, Any]:
        """Answer what has to be asked; `given` names answers with `__` for the dot."""
        said = {name.replace("__", "."): value for name, value in given.items()}
        items = self.sheet(subject, key, *names)
        values = {k: v for k, v in said.items() if k in {i.question.key for i in items}}
        for item in items:
            if item in needed(items, values) and not item.question.is_optional:
                values.setdefault(item.question.key, answer(item.question))
        return {k: v for k, v in values.items() if k in said or any(
            i.question.key == k for i in needed(items, values))}  # fmt: skip

    def visit(
        self, subject: str, key: int, *names: str, who: Actor | None = None,         **given: Any,
    ) -> Answer:  # fmt: skip
        values = self.answers(subject, key, *names, **given)
        items = {item.question.key: item.question for item in self.sheet(subject, key, *names)}
        photo = make_photo(self.session)
        photos = {
            k: photo for k, v in values.items()
            if (option := items[k].option(v) if items[k].type == "choice" else None)
            and option.needs_photo
        }  # fmt: skip
        versions = tuple(form.version_id for form in self.forms(*names))
        sent = Sent(uuid4(), subject, key, versions, values, photos=photos, done_at=self.now)
        return visits.record(self.session, sent, who or self.worker, now=self.now)


def make_restaurant(session: Session, at: tuple[float, float] = WEST) -> int:
    return make_premises(session, "restaurant", at)


def make_home(session: Session) -> int:
    """Put a building with one home that is lived in on the map; return the home's key."""
    west, south = WEST[0] + 0.001, WEST[1]
    box = f"MULTIPOLYGON((({west} {south}, {west + 1e-4} {south}, {west + 1e-4} {south + 1e-4}, {west} {south + 1e-4}, {west} {south})))"
    building = session.scalar(
        text("INSERT INTO building (name, kind, area_m2, geom) VALUES ('江滨苑1幢', 'residential', 100,"
             " ST_GeomFromText(:box, 4490)) RETURNING id"), {"box": box},
    )  # fmt: skip
    key = session.scalar(
        text("INSERT INTO dwelling (building_id, unit, room, use)"
             " VALUES (:b, '1', '201', 'owner') RETURNING id"), {"b": building},
    )  # fmt: skip
    assert key is not None
    return int(key)
