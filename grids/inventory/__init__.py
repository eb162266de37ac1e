"""The data inventory: every column with its level, and why personal ones are kept (S20, S28)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from grids.accounts import ROLES
from grids.db import Base
from grids.inventory.groups import GROUPS, Listed
from grids.inventory.personal import PERSONAL, Personal
from grids.inventory.tables import TABLES
from grids.inventory.words import BASES, PURPOSES, RETENTIONS
from grids.secrets import SEALED

__all__ = [
    "BASES", "GROUPS", "PERSONAL", "PURPOSES", "RETENTIONS", "TABLES", "Listed", "Personal", "Row",
    "csv_rows", "markdown", "problems", "rows", "who_sees",
]  # fmt: skip


@dataclass(frozen=True)
class Row:
    """One column of the inventory."""

    table: str
    column: str
    level: str
    subject: str
    purpose: str
    basis: str
    retention: str
    who: str
    is_sealed: bool


def rows() -> Iterator[Row]:
    """Yield every column of every table, by name."""
    sealed = {(c.table, c.column) for c in SEALED}
    for listed in TABLES:
        group, level = GROUPS[listed.group], _level(listed.table)
        for column in listed.columns.split():
            held = PERSONAL.get(f"{listed.table}.{column}")
            yield Row(
                listed.table,
                column,
                held.level if held else level,
                held.subject if held else "",
                PURPOSES[held.purpose] if held else group.purpose,
                BASES[held.basis] if held else "",
                RETENTIONS[held.retention] if held else group.retention,
                who_sees(held.who if held else group.who),
                (listed.table, column) in sealed,
            )


def who_sees(permission: str) -> str:
    """Name the roles that hold a permission; words stand for themselves."""
    roles = sorted(name for name, held in ROLES.items() if permission in held)
    return ", ".join(roles) or permission


def problems() -> list[str]:
    """Say what is missing or wrong: an unlisted column, a sealed one without a purpose."""
    found = [*_unlisted()]
    known = {f"{listed.table}.{column}" for listed in TABLES for column in listed.columns.split()}
    found += [f"{name} is no column" for name in PERSONAL.keys() - known]
    for column in SEALED:
        for part in filter(None, (column.column, column.index)):
            if f"{column.table}.{part}" not in PERSONAL:
                found.append(f"{column.table}.{part} is sealed and has no purpose")
    declared = {(c.table, part) for c in SEALED for part in (c.column, c.index)}
    for table in Base.metadata.tables.values():
        for each in table.columns:
            is_sealed = each.name.endswith("_sealed")
            if is_sealed and (table.name, each.name) not in declared:
                found.append(f"{table.name}.{each.name} stands not in grids.secrets.SEALED")
            level = each.info.get("level")
            held = PERSONAL.get(f"{table.name}.{each.name}")
            if level and (held is None or held.level != level):
                found.append(f"{table.name}.{each.name} is {level} in its model")
    return sorted(found)


def markdown() -> str:
    """Write the inventory as `docs/inventory.md` holds it."""
    out = [HEAD]
    tables = dict.fromkeys(row.table for row in rows())
    everything = list(rows())
    out.append("## Personal data\n")
    out.append("| column | level | of whom | purpose | ground | kept | who may see it | sealed |")
    out.append("|---|---|---|---|---|---|---|---|")
    out += [
        f"| `{r.table}.{r.column}` | {r.level} | {r.subject} | {r.purpose} | {r.basis} |"
        f" {r.retention} | {r.who} | {'yes' if r.is_sealed else ''} |"
        for r in everything
        if r.subject
    ]
    out.append("\n## Everything else\n")
    out.append("| table | level | purpose | kept | who may see it | columns |")
    out.append("|---|---|---|---|---|---|")
    for table in tables:
        plain = [r for r in everything if r.table == table and not r.subject]
        if plain:
            names = ", ".join(r.column for r in plain)
            r = plain[0]
            out.append(
                f"| `{table}` | {r.level} | {r.purpose} | {r.retention} | {r.who} | {names} |"
            )
    return "\n".join(out) + "\n"


def csv_rows() -> Iterator[tuple[str, ...]]:
    """Yield the inventory as rows of a table, names first."""
    yield ("table", "column", "level", "subject", "purpose", "basis", "retention", "who", "sealed")
    for r in rows():
        yield (
            r.table, r.column, r.level, r.subject, r.purpose, r.basis, r.retention, r.who,
            "yes" if r.is_sealed else "",
        )  # fmt: skip


HEAD = """# Data inventory

Made by `./wangge inventory`; a test compares. Levels: L1 public, L2 internal, L3 sensitive, L4 very
sensitive. A new column is refused by a test until it stands in `grids/inventory/`. "Sealed" columns
are encrypted with table, row and column as additional data (`grids/secrets`).
"""


def _unlisted() -> Iterator[str]:
    listed = {entry.table: set(entry.columns.split()) for entry in TABLES}
    for table in Base.metadata.tables.values():
        columns = {column.name for column in table.columns}
        for name in sorted(columns - listed.get(table.name, set())):
            yield f"{table.name}.{name} is not in the inventory"
        for name in sorted(listed.get(table.name, set()) - columns):
            yield f"{table.name}.{name} is listed and does not exist"
    for name in sorted(listed.keys() - Base.metadata.tables.keys()):
        yield f"{name} is listed and does not exist"


def _level(table: str) -> str:
    """Return the level that the model of a table states."""
    for mapper in Base.registry.mappers:
        if getattr(mapper.local_table, "name", "") == table:
            level: str = mapper.class_.__level__
            return level
    raise LookupError(table)
