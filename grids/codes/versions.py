"""What a category carries over time, and new versions of it that begin on a day to come.

The past is never changed: a version that holds ends where the next one begins, and one that
has not begun can be withdrawn; then the one before it goes on as if nothing had been planned.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from datetime import date
from typing import Any, Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from grids.codes.carried import parents_of
from grids.codes.models import (
    BY_PAGE,
    Category,
    CategoryLimit,
    CategoryRule,
    CodeChange,
    CodeLoad,
    Department,
)
from grids.codes.reading import AREA_KINDS, LIMIT_UNITS, NAMED_PARTS, PARTS, URGENCIES, options_of
from grids.codes.rows import BadCodeList, Row
from grids.errors import Conflict, Invalid, NotFound

LONGEST_TEXT: Final = 500
LONGEST_SOURCE: Final = 200
LONGEST_NAME: Final = 40


class BadVersion(Invalid):
    """A version of a limit or a rule is wrong; `field` and `problem` say which and why."""

    code = "codes.bad_version"


class VersionBegan(Conflict):
    """A version that has begun is the past: it can be followed, not withdrawn or replaced."""

    code = "codes.began"


class NoVersion(NotFound):
    """There is no such version of this category."""

    code = "codes.no_version"


@dataclass(frozen=True)
class LimitEdit:
    """A limit of handling from a day on."""

    urgency: str
    value: float
    unit: str
    department: str
    valid_from: date
    source: str
    area_kind: str = ""


@dataclass(frozen=True)
class RuleEdit:
    """A question, notice, condition or target from a day on."""

    part: str
    name: str
    text_zh: str
    text_en: str
    valid_from: date
    source: str
    options: str = ""  #: as files write them: code|Chinese|English|4 work_hour; ...
    is_required: bool = False
    value: float | None = None
    unit: str | None = None
    sort: int = 0


@dataclass(frozen=True)
class History:
    """Every version of what a category has itself, and the classes whose rules hold for it."""

    category: Category
    limits: tuple[CategoryLimit, ...]
    rules: tuple[CategoryRule, ...]
    above: tuple[Category, ...]
    inherited: tuple[CategoryRule, ...]  #: in force or coming, of the classes above
    changes: tuple[CodeChange, ...] = field(default=())  #: of its own row: names, validity


def history(session: Session, category_id: int, on: date) -> History:
    """Return all versions of a category, the latest first. Raises `NoResultFound`."""
    category = session.get_one(Category, category_id)
    chain = parents_of(session, category)
    above = [session.get_one(Category, one) for one in chain]
    word = f"{category.code_system} {category.kind} {category.code}"
    return History(
        category,
        _rows(session, CategoryLimit, category_id),
        _rows(session, CategoryRule, category_id),
        tuple(above),
        tuple(
            session.scalars(
                select(CategoryRule)
                .where(
                    CategoryRule.category_id.in_(chain),
                    or_(CategoryRule.valid_to.is_(None), CategoryRule.valid_to > on),
                )
                .order_by(CategoryRule.part, CategoryRule.sort, CategoryRule.name)
            )
        ),
        tuple(
            session.scalars(
                select(CodeChange)
                .where(CodeChange.table_name == "category", CodeChange.key == word)
                .order_by(CodeChange.id.desc())
                .limit(20)
            )
        ),
    )


def _rows(session: Session, model: Any, category_id: int) -> tuple[Any, ...]:
    statement = select(model).where(model.category_id == category_id)
    return tuple(session.scalars(statement.order_by(model.valid_from.desc(), model.id.desc())))


def add_limit(session: Session, category_id: int, edit: LimitEdit, *, today: date) -> CategoryLimit:
    """Let a limit begin on a day to come; the one that held ends there.

    Cases that come in before that day keep the limit of their own day. Raises `BadVersion`,
    `VersionBegan`.
    """
    _check_limit(session, edit)
    category = _locked(session, category_id)
    of = (CategoryLimit.urgency == edit.urgency, CategoryLimit.area_kind == edit.area_kind)
    until = _make_room(session, CategoryLimit, category_id, of, edit.valid_from, today)
    made = CategoryLimit(
        category_id=category_id, urgency=edit.urgency, area_kind=edit.area_kind, value=edit.value,
        unit=edit.unit, department_code=edit.department, source=edit.source,
        valid_from=edit.valid_from, valid_to=until, origin=BY_PAGE,
    )  # fmt: skip
    session.add(made)
    _tell(session, category, "category_limit", f"{edit.urgency} {edit.area_kind}".strip(), "add",
          asdict(edit), today)  # fmt: skip
    return made


def add_rule(session: Session, category_id: int, edit: RuleEdit, *, today: date) -> CategoryRule:
    """Let a question, notice, condition or target begin on a day to come.

    Raises `BadVersion`, `VersionBegan`.
    """
    options = _check_rule(edit)
    category = _locked(session, category_id)
    of = (CategoryRule.part == edit.part, CategoryRule.name == edit.name)
    until = _make_room(session, CategoryRule, category_id, of, edit.valid_from, today)
    made = CategoryRule(
        category_id=category_id, part=edit.part, name=edit.name, text_zh=edit.text_zh,
        text_en=edit.text_en, options=options, is_required=edit.is_required, value=edit.value,
        unit=edit.unit, sort=edit.sort, source=edit.source, valid_from=edit.valid_from,
        valid_to=until, origin=BY_PAGE,
    )  # fmt: skip
    session.add(made)
    _tell(session, category, "category_rule", f"{edit.part} {edit.name}".strip(), "add",
          asdict(edit), today)  # fmt: skip
    return made


def withdraw(
    session: Session, category_id: int, kind: str, version_id: int, *, today: date
) -> None:
    """Take back a version that has not begun; the one before it goes on in its place.

    Raises `NoVersion`, `VersionBegan`.
    """
    category = _locked(session, category_id)
    row = _version(session, category_id, kind, version_id)
    if row.valid_from <= today or row.valid_to == row.valid_from:
        raise VersionBegan("this version has begun or was withdrawn already")
    until, model = row.valid_to, type(row)
    before = session.scalar(
        select(model).where(
            model.category_id == category_id,
            *_same(row),
            model.valid_to == row.valid_from,
            model.valid_from < model.valid_to,
            model.id != row.id,
        )
    )
    row.valid_to = row.valid_from
    session.flush()
    if before is not None:
        before.valid_to = until
    _tell(session, category, model.__tablename__, str(version_id), "end", {}, today)


def end(session: Session, category_id: int, version_id: int, on: date, *, today: date) -> None:
    """Let a question, notice or condition end on a day to come. Raises `BadVersion`."""
    category = _locked(session, category_id)
    row = _version(session, category_id, "rule", version_id)
    if on <= today or on <= row.valid_from or (row.valid_to is not None and on >= row.valid_to):
        raise BadVersion("it ends on a day to come, before its end", field="until", problem="past")
    row.valid_to, row.origin = on, BY_PAGE
    _tell(session, category, "category_rule", str(version_id), "end", {"valid_to": on}, today)


def _locked(session: Session, category_id: int) -> Category:
    return session.get_one(Category, category_id, with_for_update=True)


def _version(session: Session, category_id: int, kind: str, version_id: int) -> Any:
    model: Any = {"limit": CategoryLimit, "rule": CategoryRule}.get(kind)
    row = session.get(model, version_id) if model else None
    if row is None or row.category_id != category_id:
        raise NoVersion(f"no version {version_id} of category {category_id}")
    return row


def _same(row: Any) -> tuple[Any, ...]:
    if isinstance(row, CategoryLimit):
        return (CategoryLimit.urgency == row.urgency, CategoryLimit.area_kind == row.area_kind)
    return (CategoryRule.part == row.part, CategoryRule.name == row.name)


def _make_room(
    session: Session, model: Any, category_id: int, of: tuple[Any, ...], since: date, today: date
) -> date | None:
    """End what holds on a day where the new version begins; return where the next one begins."""
    if since <= today:
        raise BadVersion("a version begins on a day to come", field="valid_from", problem="past")
    rows = session.scalars(
        select(model)
        .where(
            model.category_id == category_id,
            *of,
            or_(model.valid_to.is_(None), model.valid_to > model.valid_from),
        )
        .order_by(model.valid_from)
    ).all()
    if any(row.valid_from == since for row in rows):
        raise VersionBegan("a version begins on that day already: withdraw it first")
    for row in rows:
        if row.valid_from < since and (row.valid_to is None or row.valid_to > since):
            row.valid_to = since
    session.flush()
    return next((row.valid_from for row in rows if row.valid_from > since), None)


def _check_limit(session: Session, edit: LimitEdit) -> None:
    for name, value, known in (("urgency", edit.urgency, URGENCIES), ("unit", edit.unit, LIMIT_UNITS),
                               ("area_kind", edit.area_kind, ("", *AREA_KINDS))):  # fmt: skip
        if value not in known:
            raise BadVersion(f"no such {name}", field=name, problem="unknown")
    if not 0 < edit.value < 10_000:
        raise BadVersion("a limit is above zero", field="value", problem="amount")
    if session.get(Department, edit.department) is None:
        raise BadVersion("no such department", field="department", problem="unknown")
    _check_source(edit.source)


def _check_rule(edit: RuleEdit) -> list[dict[str, Any]]:
    """Check a rule by the rules of the files; return its answers."""
    if edit.part not in PARTS:
        raise BadVersion("no such part", field="part", problem="unknown")
    if (edit.part in NAMED_PARTS) != bool(edit.name) or not _is_name(edit.name):
        raise BadVersion("a question or target has a name of letters", field="name",
                         problem="name")  # fmt: skip
    for name in ("text_zh", "text_en"):
        if not 0 < len(getattr(edit, name)) <= LONGEST_TEXT:
            raise BadVersion("a text in both languages", field=name, problem="text")
    _check_source(edit.source)
    try:
        options = options_of(Row("", 0, {"options": edit.options}))
    except BadCodeList as error:
        raise BadVersion(str(error), field="options", problem="options") from error
    if bool(options) != (edit.part == "question"):
        raise BadVersion("a question has answers", field="options", problem="options")
    is_target = edit.part == "target"
    if is_target and (edit.value is None or edit.value <= 0 or edit.unit not in LIMIT_UNITS):
        raise BadVersion("a target has a limit", field="value", problem="amount")
    if not is_target and (edit.value is not None or edit.unit):
        raise BadVersion("only a target has a limit", field="value", problem="amount")
    return options


def _is_name(name: str) -> bool:
    bare = name.replace("_", "")
    return not name or (bare.isascii() and bare.isalnum() and len(name) <= LONGEST_NAME)


def _check_source(source: str) -> None:
    if not 0 < len(source) <= LONGEST_SOURCE:
        raise BadVersion("a version has a source", field="source", problem="source")


def _tell(
    session: Session, category: Category, table: str, key: str, what: str, detail: dict[str, Any],
    today: date,
) -> None:  # fmt: skip
    """Keep an act of a page beside those of the loads, as a version of the lists."""
    version = CodeLoad(loaded_on=today, origin=BY_PAGE, digest="")
    session.add(version)
    session.flush()
    told = {name: [None, value.isoformat() if isinstance(value, date) else value]
            for name, value in detail.items()}  # fmt: skip
    word = f"{category.code_system} {category.kind} {category.code} {key}"
    session.add(CodeChange(load_id=version.id, table_name=table, key=word, what=what, detail=told))
    session.flush()
