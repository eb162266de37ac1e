"""The forms of versions of a category, and how limits and refusals are worded."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Final

from flask import request
from flask_babel import format_decimal
from flask_babel import gettext as _

from app.i18n import translated
from grids.codes.rows import BadCodeList, problem_of
from grids.codes.versions import BadVersion, LimitEdit, RuleEdit
from grids.errors import GridsError

LIMIT: Final = (
    "urgency", "area_kind", "value", "unit", "department", "valid_from", "source",
)  # fmt: skip
RULE: Final = (
    "part", "name", "text_zh", "text_en", "options", "is_required", "value", "unit", "sort",
    "valid_from", "source",
)  # fmt: skip
LONGEST: Final = 2000


def read(names: tuple[str, ...]) -> dict[str, str]:
    """Read what was typed."""
    return {name: request.form.get(name, "").strip()[:LONGEST] for name in names}


def limit_edit(form: dict[str, str]) -> LimitEdit:
    """Return the limit that a form asks for. Raises `BadVersion`."""
    return LimitEdit(
        urgency=form["urgency"],
        area_kind=form["area_kind"],
        value=number(form["value"], "value"),
        unit=form["unit"],
        department=form["department"],
        valid_from=day(form["valid_from"], "valid_from"),
        source=form["source"],
    )


def rule_edit(form: dict[str, str]) -> RuleEdit:
    """Return the rule that a form asks for. Raises `BadVersion`."""
    return RuleEdit(
        part=form["part"],
        name=form["name"],
        text_zh=form["text_zh"],
        text_en=form["text_en"],
        # Each answer on a line of its own, as people write lists; files have semicolons.
        options=";".join(line for line in form["options"].splitlines() if line.strip()),
        is_required=form["is_required"] == "1",
        value=number(form["value"], "value") if form["value"] else None,
        unit=form["unit"] if form["value"] else None,
        sort=int(number(form["sort"], "sort")) if form["sort"] else 0,
        valid_from=day(form["valid_from"], "valid_from"),
        source=form["source"],
    )


def day(text: str, field: str) -> date:
    """Read a day. Raises `BadVersion`."""
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise BadVersion("not a day", field=field, problem="day") from None


def number(text: str, field: str) -> float:
    """Read a number. Raises `BadVersion`."""
    try:
        found = float(text.replace(",", "."))
    except ValueError:
        raise BadVersion("not a number", field=field, problem="amount") from None
    if not -1e6 < found < 1e6:
        raise BadVersion("not a number", field=field, problem="amount")
    return found


def tomorrow(today: date) -> date:
    """Return the first day on which a version may begin."""
    return today + timedelta(days=1)


def limit_words(value: float, unit: str) -> str:
    """Write a limit in the reader's language: 4 working hours."""
    return str(_(f"codes.unit_{unit}", n=format_decimal(value)))


def message(error: GridsError) -> str:
    """Say in the reader's language what is wrong, with file, line and column for a row."""
    if isinstance(error, BadCodeList):
        return row_message(error)
    problem = error.params.get("problem")
    if problem:
        return translated(f"codes.problem_{problem}", str(error), **error.params)
    return translated(f"error.{error.code}", str(error), **error.params)


def row_message(error: BadCodeList) -> str:
    """Word the refusal of a row: which file, which line, which column, and why."""
    key, values = problem_of(str(error.params.get("why", "")))
    why = translated(f"codes.row_{key}", str(error.params.get("why", "")), **values)
    line = error.params.get("line") or 0
    named = "codes.row_wrong" if line else "codes.file_wrong"
    return str(
        _(named, file=error.params.get("file", ""), line=line,
          field=error.params.get("field", ""), why=why)
    )  # fmt: skip
