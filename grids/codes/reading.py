"""The files of code lists: read, checked row by row, refused by file, line and column."""

from __future__ import annotations

import csv
import hashlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from grids.codes.models import DEFAULT_SYSTEM, LOCAL_SYSTEM
from grids.codes.rows import BadCodeList, Row

KINDS: Final = ("component", "matter", "social")
PARTS: Final = ("question", "notice", "filing", "closing", "self_handling", "target")
NAMED_PARTS: Final = ("question", "target")
LIMIT_UNITS: Final = ("elapsed_hour", "work_hour", "work_day")
URGENCIES: Final = ("A", "B", "C", "D")
RELATIONS: Final = ("exact", "name", "broader", "narrower", "none")
SPAN_KINDS: Final = ("office", "daylight", "morning")
STAGES: Final = ("DESK", "S1", "S2", "S3", "S4", "S5", "S6", "S7", "S8", "O", "R")
CATEGORY_FILES: Final = ("components.csv", "matters.csv", "local.csv", "legacy.csv", "social.csv")
#: Limits of stages may be written in minutes; they are kept in hours.
STAGE_UNITS: Final = ("elapsed_minute", *LIMIT_UNITS)
AREA_KINDS: Final = ("street", "town", "zone", "community", "village")
#: How many sub-classes the standard lists.
COUNTS: Final = {(DEFAULT_SYSTEM, "component"): 153, (DEFAULT_SYSTEM, "matter"): 250}
#: Sub-classes that a city may number itself.
LOCAL_RANGE: Final = range(900, 1000)

CategoryKey = tuple[str, str, str]


@dataclass
class Lists:
    """What the files of a folder say, by table; a table of no file is not there."""

    tables: dict[str, dict[Any, dict[str, Any]]] = field(default_factory=dict)
    category_systems: set[str] = field(default_factory=set)
    digest: str = ""

    def add(self, table: str, row: Row, key: Any, values: dict[str, Any]) -> None:
        """Take a row in. Raises `BadCodeList` for the same key twice."""
        rows = self.tables.setdefault(table, {})
        if key in rows:
            raise row.bad("code" if "code" in row.values else next(iter(row.values)),
                          f"names {_word(key)} a second time")  # fmt: skip
        rows[key] = values


def read(folder: Path) -> Lists:
    """Read every code list of a folder. Raises `BadCodeList` for the first wrong row."""
    lists = Lists()
    total = hashlib.sha256()
    for name, take in READERS.items():
        path = folder / name
        if path.exists():
            total.update(name.encode() + path.read_bytes())
            lists.tables.setdefault(TABLE_OF[name], {})
            for row in _rows(path):
                take(lists, row)
    lists.digest = total.hexdigest()
    _check_counts(lists)
    _check_parents(lists)
    return lists


def rows_of(name: str, text: str) -> Iterator[Row]:
    """Read the lines of a file that was sent."""
    for line, values in enumerate(csv.DictReader(text.splitlines()), start=2):
        yield Row(name, line, {key or "": value or "" for key, value in values.items()
                               if isinstance(value, str)})  # fmt: skip


def _rows(path: Path) -> Iterator[Row]:
    try:
        text = path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadCodeList(f"{path.name}, line 1: column 1 is no UTF-8", file=path.name, line=1,
                          field="1", why="is no UTF-8") from error  # fmt: skip
    return rows_of(path.name, text)


def _word(key: Any) -> str:
    return " ".join(str(part) for part in key) if isinstance(key, tuple) else str(key)


def _names(row: Row) -> dict[str, Any]:
    return {name: row.need(name) for name in ("name_zh", "name_en")}


def _department(lists: Lists, row: Row) -> None:
    lists.add("department", row, row.need("code"), {**_names(row), "sort": row.whole("sort")})


def _population(lists: Lists, row: Row) -> None:
    values = {**_names(row), "sort": row.whole("sort"), "source": row.need("source")}
    lists.add("population_category", row, row.need("code"), values)


def _system(lists: Lists, row: Row) -> None:
    values = {
        **_names(row),
        "digits": row.whole("digits"),
        "identifier_digits": row.whole("identifier_digits"),
        "needs_table": row.flag("needs_table"),
        "valid_from": row.day("valid_from"),
        "valid_to": row.until(),
        "source": row.need("source"),
    }
    lists.add("code_system", row, row.need("code"), values)


def _category(lists: Lists, row: Row) -> None:
    # Here: the dictionary of pinyin takes half a second, and only a load needs it.
    from grids.codes.names import search_key

    system, kind, code = row.need("code_system"), row.one_of("kind", KINDS), row.need("code")
    _check_code(lists, row, system, code)
    names = _names(row)
    lists.category_systems.add(system)
    values = {
        **names,
        "parent": row.get("parent") or None,
        "search": search_key(**names),
        "sort": row.line,
        "is_common": row.flag("is_common"),
        "valid_from": row.day("valid_from"),
        "valid_to": row.until(),
        "source": row.need("source"),
    }
    lists.add("category", row, (system, kind, code), values)


def _check_code(lists: Lists, row: Row, system: str, code: str) -> None:
    known = lists.tables.get("code_system")
    if known is not None and system not in known:
        raise row.bad("code_system", f"names {system!r}, which no row of systems.csv has")
    digits = known[system]["digits"] if known else 0
    parent = row.get("parent")
    if digits and not (code.isdecimal() and code.isascii()):
        raise row.bad("code", "holds something that is no digit")
    if digits and len(code) != (digits if parent else 2):
        raise row.bad("code", f"has {len(code)} digits, not {digits if parent else 2}")
    if parent and not code.startswith(parent):
        raise row.bad("parent", f"is not the beginning of {code}")
    if system == LOCAL_SYSTEM and int(code[2:] or 0) not in LOCAL_RANGE:
        raise row.bad("code", "is outside 900 to 999, the city's own range")


def _limit(lists: Lists, row: Row) -> None:
    values = {
        "urgency": row.one_of("urgency", URGENCIES),
        "value": row.amount("value"),
        "unit": row.one_of("unit", LIMIT_UNITS),
        "department_code": _known_department(lists, row),
        "source": row.need("source"),
    }
    of, area_kind = _known_category(lists, row), _area_kind(row)
    lists.add("category_limit", row, (*of, area_kind) if area_kind else of, values)


def _known_department(lists: Lists, row: Row) -> str:
    code = row.need("department")
    known = lists.tables.get("department")
    if known is not None and code not in known:
        raise row.bad("department", f"names {code!r}, which no row of departments.csv has")
    return code


def _known_category(lists: Lists, row: Row) -> CategoryKey:
    key = (row.get("code_system") or DEFAULT_SYSTEM, row.get("kind") or "matter", row.need("code"))
    if key[0] in lists.category_systems and key not in lists.tables["category"]:
        raise row.bad("code", f"names {_word(key)}, which no list has")
    return key


def _rule(lists: Lists, row: Row) -> None:
    part, name = row.one_of("part", PARTS), row.get("name")
    if (part in NAMED_PARTS) != bool(name):
        raise row.bad("name", "is empty" if not name else f"belongs to no {part}")
    options = options_of(row)
    if bool(options) != (part == "question"):
        raise row.bad("options", "is empty" if not options else f"belongs to no {part}")
    is_target = part == "target"
    values = {
        "text_zh": row.need("text_zh"),
        "text_en": row.need("text_en"),
        "options": options,
        "is_required": row.flag("is_required"),
        "value": row.amount("value") if is_target else None,
        "unit": row.one_of("unit", LIMIT_UNITS) if is_target else None,
        "sort": row.whole("sort"),
        "source": row.need("source"),
    }
    lists.add("category_rule", row, (_known_category(lists, row), part, name), values)


def options_of(row: Row) -> list[dict[str, Any]]:
    """Read the answers of a question: code|Chinese|English, or with a limit at the end |4 work_hour.

    Answers stand behind one another with a semicolon between them.
    """
    found: list[dict[str, Any]] = []
    for text in filter(None, (part.strip() for part in row.get("options").split(";"))):
        parts = [part.strip() for part in text.split("|")]
        if len(parts) not in (3, 4) or not all(parts):
            raise row.bad("options", f"has {text!r}, which is not code|Chinese|English")
        option: dict[str, Any] = {"code": parts[0], "zh": parts[1], "en": parts[2]}
        if len(parts) == 4:
            value, _, unit = parts[3].partition(" ")
            if unit not in LIMIT_UNITS or not value.replace(".", "", 1).isdecimal():
                raise row.bad("options", f"has {parts[3]!r}, which is no limit like 4 work_hour")
            option |= {"value": float(value), "unit": unit}
        found.append(option)
    if repeated := [code for code, n in Counter(o["code"] for o in found).items() if n > 1]:
        raise row.bad("options", f"names {repeated[0]!r} twice")
    return found


def _conversion(lists: Lists, row: Row) -> None:
    relation = row.one_of("relation", RELATIONS)
    kind = row.one_of("kind", KINDS)
    ends = {}
    for side in ("from", "to"):
        system, code = row.need(f"{side}_system"), row.get(f"{side}_code")
        is_nothing = side == "to" and relation == "none"
        if bool(code) == is_nothing:
            raise row.bad(f"{side}_code", "names a code" if code else "is empty")
        known = lists.tables.get("category", {})
        if code and system in lists.category_systems and (system, kind, code) not in known:
            raise row.bad(f"{side}_code", f"names {system} {code}, which no list has")
        ends[side] = (system, code)
    key = (kind, *ends["from"], *ends["to"])
    lists.add("code_map", row, key, {"relation": relation, "source": row.need("source")})


def _workday(lists: Lists, row: Row) -> None:
    values = {
        "is_workday": row.flag("is_workday"),
        "name": row.need("name_zh"),
        "name_en": row.need("name_en"),
        "source": row.need("source"),
    }
    lists.add("workday", row, row.day("day"), values)


def _span(lists: Lists, row: Row) -> None:
    kind, opens, closes = row.one_of("kind", SPAN_KINDS), row.clock("opens"), row.clock("closes")
    if closes < opens or (closes == opens and kind != "morning"):
        raise row.bad("closes", "is not after opens")
    values = {"closes": closes, "valid_to": row.until(), "source": row.need("source")}
    lists.add("work_span", row, (kind, opens, row.day("valid_from")), values)


def _stage(lists: Lists, row: Row) -> None:
    unit = row.one_of("unit", STAGE_UNITS)
    is_minute = unit == "elapsed_minute"
    values = {
        "value": row.amount("value") / 60 if is_minute else row.amount("value"),
        "unit": "elapsed_hour" if is_minute else unit,
        "valid_to": row.until(),
        "source": row.need("source"),
    }
    of = ("", "", "")
    if row.get("code"):
        of = _known_category(lists, row)
    urgency = row.one_of("urgency", URGENCIES) if row.get("urgency") else ""
    stage = row.one_of("stage", STAGES)
    if stage == "DESK" and urgency != "A":
        raise row.bad("urgency", "is not A, though DESK is the limit of emergencies")
    key = (stage, *of, urgency, _area_kind(row), row.day("valid_from"))
    lists.add("stage_limit", row, key, values)


def _area_kind(row: Row) -> str:
    """Read the kind of area that a limit is for; empty: every kind."""
    return row.one_of("area_kind", AREA_KINDS) if row.get("area_kind") else ""


#: File -> how a row is taken in. The order matters: later files name what earlier ones hold.
READERS: Final[dict[str, Callable[[Lists, Row], None]]] = {
    "departments.csv": _department,
    "systems.csv": _system,
    **dict.fromkeys(CATEGORY_FILES, _category),
    "limits.csv": _limit,
    "rules.csv": _rule,
    "conversion.csv": _conversion,
    "key_population.csv": _population,
    "workdays.csv": _workday,
    "work_spans.csv": _span,
    "stage_limits.csv": _stage,
}
TABLE_OF: Final = {
    "departments.csv": "department",
    "systems.csv": "code_system",
    **dict.fromkeys(CATEGORY_FILES, "category"),
    "limits.csv": "category_limit",
    "rules.csv": "category_rule",
    "conversion.csv": "code_map",
    "key_population.csv": "population_category",
    "workdays.csv": "workday",
    "work_spans.csv": "work_span",
    "stage_limits.csv": "stage_limit",
}


def _check_counts(lists: Lists) -> None:
    """Hold the national list against the number of its rows, in all or not at all."""
    found = Counter(
        (system, kind)
        for (system, kind, _), values in lists.tables.get("category", {}).items()
        if values["parent"]
    )
    for (system, kind), wanted in COUNTS.items():
        if system in lists.category_systems and found[system, kind] != wanted:
            name = f"{kind}s.csv"
            raise BadCodeList(
                f"{name}: {found[system, kind]} sub-classes of {system}, the standard has {wanted}",
                file=name, line=0, field="code",
                why=f"has {found[system, kind]} sub-classes, the standard {wanted}",
            )  # fmt: skip


def _check_parents(lists: Lists) -> None:
    known = lists.tables.get("category", {})
    for (system, kind, code), values in known.items():
        # A city's own code may stand under a class of the standard.
        homes = (system, DEFAULT_SYSTEM) if system == LOCAL_SYSTEM else (system,)
        parent = values["parent"]
        if parent and not any((home, kind, parent) in known for home in homes) and (
            DEFAULT_SYSTEM in lists.category_systems or system != LOCAL_SYSTEM
        ):  # fmt: skip
            raise BadCodeList(
                f"{system} {kind} {code}: column parent names {parent}, which no list has",
                file=system, line=values["sort"], field="parent", why=f"names {parent}",
            )  # fmt: skip
