"""Bringing code lists into the tables: first the plan of what changes, then the changes.

A code that is no longer listed ends; it is never deleted, for old cases name it. A limit or a
rule that changes ends and a new row begins, so that what held on a day can always be read.
The shipped files change only what is theirs; those of a city go before them, and what was
decided on a page goes before both.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, time
from pathlib import Path
from typing import Any, Final, Literal

from sqlalchemy import delete, insert, or_, select, update
from sqlalchemy.orm import Session

from grids.codes import calendar
from grids.codes.models import (
    SHIPPED,
    Category,
    CategoryLimit,
    CategoryRule,
    CodeChange,
    CodeLoad,
    CodeMap,
    CodeSystem,
    Department,
    PopulationCategory,
    StageLimit,
    Workday,
    WorkSpan,
)
from grids.codes.reading import Lists, read
from grids.codes.wanting import stored_categories, wanted_limits, wanted_rules

What = Literal["add", "change", "end", "restore", "kept"]


@dataclass(frozen=True)
class Change:
    """What a load does, or would do, to one row."""

    table: str
    key: Any
    what: What
    name_zh: str = ""
    name_en: str = ""
    fields: dict[str, tuple[Any, Any]] = field(default_factory=dict)  #: column -> before, after
    values: dict[str, Any] = field(default_factory=dict)
    id: Any = None  #: of the row that it is about

    @property
    def word(self) -> str:
        """Return the key as one word."""
        parts = self.key if isinstance(self.key, tuple) else (self.key,)
        flat = [one for part in parts for one in (part if isinstance(part, tuple) else (part,))]
        return " ".join(str(part) for part in flat if part not in ("", None))


@dataclass(frozen=True)
class Plan:
    """Everything that a folder would change."""

    lists: Lists
    changes: tuple[Change, ...]
    on: date
    origin: str

    @property
    def effective(self) -> tuple[Change, ...]:
        """Return what is not merely told: rows of others are kept."""
        return tuple(change for change in self.changes if change.what != "kept")


@dataclass(frozen=True)
class Loaded:
    """What a load of the code lists found and changed."""

    departments: int
    categories: int
    limits: int
    changes: int = 0
    calendar_no: int | None = None  #: of the change of the calendar, where it changed


@dataclass(frozen=True)
class _Table:
    """How a list is kept: its model and the columns of its key, in the order of the files."""

    model: Any  #: the columns differ from list to list
    key: tuple[str, ...]
    removes: Literal["end", "delete", "stay"]


_TABLES: Final = {
    "department": _Table(Department, ("code",), "stay"),
    "population_category": _Table(PopulationCategory, ("code",), "stay"),
    "code_system": _Table(CodeSystem, ("code",), "stay"),
    "category": _Table(Category, ("code_system", "kind", "code"), "end"),
    "code_map": _Table(
        CodeMap, ("kind", "from_system", "from_code", "to_system", "to_code"), "end"
    ),
    "workday": _Table(Workday, ("day",), "delete"),
    "work_span": _Table(WorkSpan, ("kind", "opens", "valid_from"), "delete"),
    "stage_limit": _Table(
        StageLimit,
        ("stage", "code_system", "kind", "code", "urgency", "area_kind", "valid_from"),
        "delete",
    ),
}
_VERSIONED: Final[dict[str, Any]] = {
    "category_limit": CategoryLimit,
    "category_rule": CategoryRule,
}
#: A change of these alone is none: they follow the place of a row in its file.
_UNTOLD: Final = frozenset({"sort", "search"})


def load(
    session: Session, folder: Path, *, on: date, origin: str = SHIPPED, by: int | None = None,
    reason: str = "",
) -> Loaded:  # fmt: skip
    """Bring the code lists of a folder into the tables; loading again changes nothing.

    Limits and rules that change begin on the day `on`. Raises `BadCodeList`.
    """
    lists = read(folder)
    changes: list[Change] = []
    before = calendar.state(session)
    for name in _TABLES:
        step = _plan_table(session, lists, name, on, origin)
        _apply(session, name, step, on, origin)
        changes += step
    calendar_no = calendar.note(session, before, by=by, reason=reason, origin=origin)
    # Only now do new categories have the keys that limits and rules name.
    for name in _VERSIONED:
        step = _plan_versions(session, lists, name, on, origin, _ids(session))
        _apply_versions(session, name, step, on, origin)
        changes += step
    done = [change for change in changes if change.what != "kept"]
    if done:
        _keep_version(session, lists, done, on, origin)
    return Loaded(
        len(lists.tables.get("department", {})),
        len(lists.tables.get("category", {})),
        len(lists.tables.get("category_limit", {})),
        len(done),
        calendar_no,
    )


def plan(session: Session, folder: Path, *, on: date, origin: str = SHIPPED) -> Plan:
    """Say row by row what a load would change; nothing is changed. Raises `BadCodeList`."""
    lists = read(folder)
    changes = [
        change for name in _TABLES for change in _plan_table(session, lists, name, on, origin)
    ]
    ids = _ids(session)
    # Categories that are still to come get keys of their own, below every real one.
    coming = (key for key in lists.tables.get("category", {}) if key not in ids)
    ids |= {key: -number for number, key in enumerate(coming, start=1)}
    for name in _VERSIONED:
        changes += _plan_versions(session, lists, name, on, origin, ids)
    return Plan(lists, tuple(changes), on, origin)


def _plan_table(session: Session, lists: Lists, name: str, on: date, origin: str) -> list[Change]:
    """Compare one table with its files."""
    wanted = lists.tables.get(name)
    if wanted is None:
        return []
    table = _TABLES[name]
    columns = [column.key for column in table.model.__table__.columns]
    has_origin = "origin" in columns
    stored = {_key(row, table.key): row for row in session.scalars(select(table.model))}
    found: list[Change] = []
    for key, values in wanted.items():
        row = stored.get(key)
        named = {"name_zh": values.get("name_zh", values.get("name", "")),
                 "name_en": values.get("name_en", "")}  # fmt: skip
        full = dict(values)
        if name == "code_map":
            full |= {"valid_from": row.valid_from if row else on, "valid_to": None}
        if row is None:
            found.append(Change(name, key, "add", **named, values=full))
        elif has_origin and not _may_change(row, origin):
            if _differing(row, full).keys() - _UNTOLD:
                found.append(Change(name, key, "kept", **named, fields=_differing(row, full)))
        elif changed := _differing(row, full):
            ended_before = "valid_to" in changed and changed["valid_to"][1] is None
            values = {k: full[k] for k in changed}
            if has_origin and not changed.keys() <= _UNTOLD:
                values["origin"] = origin
            found.append(
                Change(name, key, "restore" if ended_before else "change", **named,
                       fields=changed, values=values)
            )  # fmt: skip
    for key in stored.keys() - wanted.keys():
        row = stored[key]
        if table.removes == "stay" or (has_origin and row.origin != origin):
            continue
        if table.removes == "end" and (row.valid_to is not None or not _is_ours(lists, name, key)):
            continue
        fields = {"valid_to": (None, on)} if table.removes == "end" else {}
        zh = getattr(row, "name_zh", getattr(row, "name", ""))
        found.append(Change(name, key, "end", zh, getattr(row, "name_en", ""), fields=fields))
    return found


def _may_change(row: Any, origin: str) -> bool:
    """Say whether a load may change a row: its own, and a city's folder those that are shipped."""
    is_own: bool = row.origin == origin
    return is_own or (row.origin == SHIPPED and origin != SHIPPED)


def _is_ours(lists: Lists, name: str, key: Any) -> bool:
    """Say whether a row that is missing belongs to a list that these files hold."""
    systems = {key[0]} if name == "category" else {key[1], key[3]}
    return bool(systems & lists.category_systems)


def _key(row: Any, columns: tuple[str, ...]) -> Any:
    values = tuple(getattr(row, column) for column in columns)
    return values[0] if len(values) == 1 else values


def _differing(row: Any, values: dict[str, Any]) -> dict[str, tuple[Any, Any]]:
    return {
        column: (getattr(row, column), value)
        for column, value in values.items()
        if getattr(row, column) != value
    }


def _plan_versions(
    session: Session, lists: Lists, name: str, on: date, origin: str,
    ids: dict[tuple[str, str, str], int],
) -> list[Change]:  # fmt: skip
    """Compare what holds on a day with what the files want to hold."""
    if name not in lists.tables:
        return []
    model = _VERSIONED[name]
    if name == "category_limit":
        known = lists.tables.get("category") or stored_categories(session)
        wanted = wanted_limits(lists, ids, known)
    else:
        wanted = wanted_rules(lists, ids)
    stored = {
        _version_key(row): row
        for row in session.scalars(
            select(model)
            .where(or_(model.valid_to.is_(None), model.valid_to > on))
            .order_by(model.valid_from.desc())
        )
    }
    names = _names_by_id(session, lists, ids)
    found: list[Change] = []
    for key, values in wanted.items():
        row = stored.get(key)
        zh, en, label = names[key[0]]
        told = (label, *key[1:])
        if row is None:
            found.append(Change(name, told, "add", zh, en, values={"key": key, **values}))
        elif changed := _differing(row, values):
            what: What = "change" if _may_change(row, origin) else "kept"
            found.append(Change(name, told, what, zh, en, fields=changed,
                                values={"key": key, **values, "valid_from": max(on, row.valid_from),
                                        "valid_to": row.valid_to}, id=row.id))  # fmt: skip
    ours = {ids[key] for key in lists.tables.get("category", {}) if key in ids}
    for key in stored.keys() - wanted.keys():
        row = stored[key]
        if row.origin == origin and key[0] in ours and row.valid_to is None:
            zh, en, label = names[key[0]]
            found.append(Change(name, (label, *key[1:]), "end", zh, en,
                                fields={"valid_to": (None, on)}, id=row.id))  # fmt: skip
    return found


def _version_key(row: CategoryLimit | CategoryRule) -> Any:
    if isinstance(row, CategoryLimit):
        return (row.category_id, row.urgency, row.area_kind)
    return (row.category_id, row.part, row.name)


def _ids(session: Session) -> dict[tuple[str, str, str], int]:
    rows = session.execute(select(Category.code_system, Category.kind, Category.code, Category.id))
    return {(row.code_system, row.kind, row.code): row.id for row in rows}


def _names_by_id(
    session: Session, lists: Lists, ids: dict[tuple[str, str, str], int]
) -> dict[int, tuple[str, str, str]]:
    rows = session.execute(
        select(Category.id, Category.name_zh, Category.name_en, Category.code_system, Category.code)
    )
    found = {row.id: (row.name_zh, row.name_en, f"{row.code_system} {row.code}") for row in rows}
    for key, values in lists.tables.get("category", {}).items():
        found.setdefault(ids[key], (values["name_zh"], values["name_en"], f"{key[0]} {key[2]}"))
    return found


def _apply(session: Session, name: str, changes: list[Change], on: date, origin: str) -> None:
    """Write the changes of one table."""
    table = _TABLES[name]
    has_origin = "origin" in table.model.__table__.columns
    added = [
        {**dict(zip(table.key, _parts(change.key), strict=True)), **change.values,
         **({"origin": origin} if has_origin else {})}
        for change in changes if change.what == "add"
    ]  # fmt: skip
    if added:
        session.execute(insert(table.model), added)
    for change in changes:
        if change.what not in ("change", "restore", "end"):
            continue
        is_row = [getattr(table.model, column) == part
                  for column, part in zip(table.key, _parts(change.key), strict=True)]  # fmt: skip
        if change.what == "end" and table.removes == "delete":
            session.execute(delete(table.model).where(*is_row))
            continue
        values = {"valid_to": on} if change.what == "end" else change.values
        session.execute(
            update(table.model).where(*is_row).values(**values),
            execution_options={"synchronize_session": False},
        )
    session.expire_all()


def _parts(key: Any) -> tuple[Any, ...]:
    return key if isinstance(key, tuple) else (key,)


def _apply_versions(
    session: Session, name: str, changes: list[Change], on: date, origin: str
) -> None:
    """End what changed and begin what is new: the row that held is kept as it was."""
    model = _VERSIONED[name]
    ended = [change.id for change in changes if change.what in ("change", "end")]
    end_versions(session, model, ended, on)
    columns = ("category_id", "urgency", "area_kind") if name == "category_limit" else (
        "category_id", "part", "name")  # fmt: skip
    added = []
    for change in changes:
        if change.what in ("add", "change"):
            values = dict(change.values)
            key = values.pop("key")
            added.append({"valid_from": on, "valid_to": None, "origin": origin,
                          **dict(zip(columns, key, strict=True)), **values})  # fmt: skip
    if added:
        session.execute(insert(model), added)


def end_versions(session: Session, model: Any, ids: Iterable[int], on: date) -> None:
    """End versions on a day; one that would begin later never comes into force."""
    wanted = list(ids)
    if not wanted:
        return
    for row in session.scalars(select(model).where(model.id.in_(wanted))):
        row.valid_to = max(on, row.valid_from)
    session.flush()


def _keep_version(
    session: Session, lists: Lists, changes: list[Change], on: date, origin: str
) -> None:
    """Number the load and keep what it did, row by row."""
    version = CodeLoad(loaded_on=on, origin=origin, digest=lists.digest)
    session.add(version)
    session.flush()
    session.execute(
        insert(CodeChange),
        [
            {
                "load_id": version.id,
                "table_name": change.table,
                "key": change.word,
                "what": change.what,
                "detail": {name: [_plain(one) for one in pair]
                           for name, pair in change.fields.items()},
            }
            for change in changes
        ],
    )  # fmt: skip


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, date | time) else value
