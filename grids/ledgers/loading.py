"""Lines, questions, forms and ledgers of a folder: `data/codes/forms`, and check-lists as questions.

Loading again changes nothing. What ships goes live with a new city; in a city that has forms a
new or changed one comes as a draft, which somebody has to approve like any other.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids.hazards.checklists import lists
from grids.ledgers import tables
from grids.ledgers.errors import BadForm
from grids.ledgers.models import FormQuestion, FormVersion, Ledger, WorkLine
from grids.ledgers.questions import Option, Question, require_sound

#: Check-list -> the subject that its items are asked of, and how long an answer holds.
CHECKLISTS: Final = {
    "small_premises": ("premises", 80),
    "rental_house": ("premises", 25),
    "component_patrol": ("component", 5),
    "school_surroundings": ("place", 25),
}
_ANSWERS: Final = (
    Option("ok", "合格", "Met"),
    Option("failed", "不合格", "Not met", needs_photo=True),
    Option("na", "不适用", "Does not apply"),
)


def load(session: Session, folder: Path, *, on: date) -> int:
    """Bring lines, questions, forms and ledgers into the tables; return how many rows are new.

    A folder without forms brings none. Raises `BadForm` and `Forbidden`; then nothing is kept.
    """
    if not folder.is_dir():
        return 0
    before = _count(session)
    is_new_city = not session.scalar(select(func.count()).select_from(FormVersion))
    for row in _rows(folder / "lines.csv"):
        department = row["department_code"] or None
        _add(session, WorkLine(code=row["code"], name_zh=row["name_zh"], name_en=row["name_en"],
                               department_code=department, sort=int(row["sort"])), row["code"])  # fmt: skip
    session.flush()
    for question in (*(checklist_questions() if is_new_city else ()), *read_questions(folder)):
        add_question(session, question)
    session.flush()
    _load_forms(session, folder, on=on, is_new_city=is_new_city)
    for row in _rows(folder / "ledgers.csv"):
        columns = [part.split("=", 1) for part in row["columns"].split("|")]
        made = Ledger(
            code=row["code"], line=row["line"], name_zh=row["name_zh"], name_en=row["name_en"],
            subject=row["subject"], kinds=_kinds(row["kinds"]), sort=int(row["sort"]),
            period_days=int(row["period_days"]),
            columns=[[*head.split("/", 1), source] for head, source in columns],
        )  # fmt: skip
        tables.columns(session, made)  # refuses what a ledger may not hold
        _add(session, made, row["code"])
    session.flush()
    return _count(session) - before


def _count(session: Session) -> int:
    return sum(
        session.scalar(select(func.count()).select_from(model)) or 0
        for model in (WorkLine, FormQuestion, FormVersion, Ledger)
    )


def _add(session: Session, row: Any, key: object) -> None:
    if session.get(type(row), key) is None:
        session.add(row)


def _rows(path: Path) -> Iterator[dict[str, str]]:
    if path.is_file():
        with path.open(encoding="utf-8-sig", newline="") as stream:
            yield from csv.DictReader(stream)


def _kinds(text: str) -> list[str]:
    return [word for word in text.split(" ") if word]


def checklist_questions() -> Iterator[Question]:
    """Give each item of the check-lists as a question: met, failed with a photo, or not applicable."""
    for name, (subject, days) in CHECKLISTS.items():
        for item in lists()[name]:
            yield Question(
                key=f"{name}.{item.code}", no=1, subject=subject, type="choice", zh=item.zh,
                en=item.en, valid_days=days, level="L2",
                options=_ANSWERS,
            )  # fmt: skip


def read_questions(folder: Path) -> Iterator[Question]:
    """Read the questions of a folder."""
    for row in _rows(folder / "questions.csv"):
        yield Question(
            key=row["key"], no=int(row["no"]), subject=row["subject"], type=row["type"],
            zh=row["zh"], en=row["en"], valid_days=int(row["valid_days"]), level=row["level"],
            hint_zh=row["hint_zh"], hint_en=row["hint_en"], example=row["example"],
            unit=row["unit"], options=read_options(row["options"]),
            checks=read_checks(row["checks"]), register=row["register"] or None,
        )  # fmt: skip


def read_options(text: str) -> tuple[Option, ...]:
    """Read choices written `code=中文/English`, with `*` after the code of one that needs a photo.

    >>> read_options("yes=有/Yes|no*=无/No")[1]
    Option(code='no', zh='无', en='No', needs_photo=True)
    """
    found = []
    for part in filter(None, text.split("|")):
        code, _equals, names = part.partition("=")
        zh, _slash, en = names.partition("/")
        found.append(
            Option(code.strip().rstrip("*"), zh.strip(), en.strip(), code.strip().endswith("*"))
        )
    return tuple(found)


def read_checks(text: str) -> dict[str, Any]:
    """Read checks written `min=0 max=500 whole optional`."""
    found: dict[str, Any] = {}
    for word in text.split():
        name, equals, value = word.partition("=")
        found[name] = (value if name == "pattern" else float(value)) if equals else True
    if "most" in found:
        found["most"] = int(found["most"])
    return found


def add_question(session: Session, question: Question) -> None:
    """Keep a wording of a question; one that is there stays. Raises `Forbidden` and `BadForm`."""
    require_sound(question)
    if session.get(FormQuestion, (question.key, question.no)) is not None:
        return
    session.add(FormQuestion(
        key=question.key, no=question.no, subject=question.subject, type=question.type,
        zh=question.zh, en=question.en, hint_zh=question.hint_zh, hint_en=question.hint_en,
        example=question.example, unit=question.unit,
        options=[[one.code, one.zh, one.en, one.needs_photo] for one in question.options],
        checks=dict(question.checks), valid_days=question.valid_days, level=question.level,
        register=question.register,
    ))  # fmt: skip


def _load_forms(session: Session, folder: Path, *, on: date, is_new_city: bool) -> None:
    newest = select(FormQuestion.key, func.max(FormQuestion.no)).group_by(FormQuestion.key)
    known: dict[str, int] = {row[0]: row[1] for row in session.execute(newest)}
    for row in _rows(folder / "forms.csv"):
        items = read_items(row["questions"], known)
        latest = session.scalar(
            select(FormVersion).where(FormVersion.form == row["form"])
            .order_by(FormVersion.no.desc()).limit(1)
        )  # fmt: skip
        facts = {
            "line": row["line"], "name_zh": row["name_zh"], "name_en": row["name_en"],
            "subject": row["subject"], "kinds": _kinds(row["kinds"]),
            "visit_days": int(row["visit_days"]), "items": items,
        }  # fmt: skip
        if latest and all(getattr(latest, name) == value for name, value in facts.items()):
            continue
        session.add(FormVersion(
            form=row["form"], no=latest.no + 1 if latest else 1, note=row["basis"],
            status="live" if is_new_city else "draft", made_at=datetime.now(UTC),
            live_from=on if is_new_city else None, **facts,
        ))  # fmt: skip
    session.flush()


def read_items(text: str, known: dict[str, int]) -> list[dict[str, Any]]:
    """Read the questions of a form, written `key`, `key?other=code,code` and `list.*` for all items of a check-list."""
    found: list[dict[str, Any]] = []
    for part in text.split():
        key, _mark, condition = part.partition("?")
        keys = sorted(k for k in known if k.startswith(key[:-1])) if key.endswith("*") else [key]
        for one in keys:
            if one not in known:
                raise BadForm(f"no question {one}", field=one)
            item: dict[str, Any] = {"key": one, "no": known[one]}
            if condition:
                other, _equals, codes = condition.partition("=")
                item["when"] = [other, codes.split(",")]
            found.append(item)
    return found
