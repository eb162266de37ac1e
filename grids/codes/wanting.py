"""What the files want to hold of limits and rules, by the keys of the categories."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from grids.codes.models import DEFAULT_SYSTEM, SOCIAL_SYSTEM, Category
from grids.codes.reading import CategoryKey, Lists


def wanted_limits(
    lists: Lists, ids: dict[CategoryKey, int], known: dict[CategoryKey, dict[str, Any]]
) -> dict[Any, dict[str, Any]]:
    """Give every sub-class its limit: its own, else that of its class; one for each kind of area.

    `known` holds the categories: those of the files, else those that are stored.
    """
    rows = lists.tables["category_limit"]
    kinds = sorted({key[3] if len(key) > 3 else "" for key in rows})
    wanted: dict[Any, dict[str, Any]] = {}
    for key, values in known.items():
        for kind in kinds:
            limit = _nearest(rows, key, values["parent"], kind)
            if limit is not None and values["parent"] and values["valid_to"] is None:
                wanted[ids[key], limit["urgency"], kind] = _but_urgency(limit)
    return wanted


def _but_urgency(limit: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in limit.items() if name != "urgency"}


def _nearest(
    rows: dict[Any, Any], key: tuple[str, str, str], parent: str | None, area_kind: str
) -> Any:
    """Find a row for a code, for its class, for the class of the standard that holds it."""
    system, kind, code = key
    where = (area_kind,) if area_kind else ()
    for home in dict.fromkeys((system, DEFAULT_SYSTEM)):
        for part in (code, parent):
            if found := rows.get((home, kind, part, *where)):
                return found
    return rows.get((system, kind, SOCIAL_SYSTEM, *where)) if system == SOCIAL_SYSTEM else None


def wanted_rules(lists: Lists, ids: dict[tuple[str, str, str], int]) -> dict[Any, dict[str, Any]]:
    """Give the rules of the files the keys of their categories."""
    return {
        (ids[key], part, name): values
        for (key, part, name), values in lists.tables["category_rule"].items()
        if key in ids
    }


def stored_categories(session: Session) -> dict[CategoryKey, dict[str, Any]]:
    """Return what a folder of limits alone speaks of."""
    rows = session.execute(
        select(
            Category.code_system, Category.kind, Category.code, Category.parent, Category.valid_to
        )
    )
    return {
        (row.code_system, row.kind, row.code): {"parent": row.parent, "valid_to": row.valid_to}
        for row in rows
    }
