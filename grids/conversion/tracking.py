"""How far each registrar has come, what waits, what is wrong; and one pair entered by hand."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, case, func, or_, select
from sqlalchemy.orm import Session
from stdnum.cn import uscc as credit_code

from grids import audit, scope
from grids.accounts import Actor
from grids.conversion.models import REGISTRARS, CodeConversion
from grids.enterprises import Enterprise
from grids.errors import Conflict, Invalid, NotFound

PAGE: Final = 50


class NoConversion(NotFound):
    """There is no such pair, or it lies outside the caller's areas."""

    code = "conversion.unknown"


class BadCode(Invalid):
    """The code fails its check digit, or its first character is of another registrar."""

    code = "conversion.bad_code"


class OtherCode(Conflict):
    """The register has another credit code for this enterprise, or the code is another's."""

    code = "conversion.other_code"


@dataclass(frozen=True)
class Share:
    """How far one registrar has come."""

    registrar: str
    stock: int
    converted: int
    bad: int

    @property
    def share(self) -> float:
        """Return the part of the stock that has a code, 0 to 1."""
        return self.converted / self.stock if self.stock else 0.0


@dataclass(frozen=True)
class Pair:
    """One pair with the code that the register of enterprises has."""

    row: CodeConversion
    register_code: str | None


def shares(session: Session, actor: Actor, area: str = "") -> tuple[Share, ...]:
    """Count stock, codes and wrong pairs of each registrar in an area of the caller's scope."""
    rows = session.execute(
        select(
            CodeConversion.registrar,
            func.count(),
            func.count(CodeConversion.uscc),
            func.count().filter(CodeConversion.problem != ""),
        )
        .where(
            scope.condition(actor, CodeConversion),
            scope.in_areas(CodeConversion.area_code, (area,)),
        )
        .group_by(CodeConversion.registrar)
    ).all()
    found = {row[0]: Share(*row) for row in rows}
    return tuple(found[name] for name in REGISTRARS if name in found)


def listed(
    session: Session, actor: Actor, *, area: str = "", registrar: str = "", state: str = "",
    number: str = "", after: int = 0,
) -> tuple[tuple[Pair, ...], int | None]:  # fmt: skip
    """List pairs by key, a page at a time, with the key that the next page begins after.

    `state` is one of `STATES`; a number finds the pairs that carry it, old or new.
    """
    rows = session.execute(
        select(CodeConversion, Enterprise.uscc)
        .outerjoin(
            Enterprise,
            (Enterprise.id == CodeConversion.enterprise_id) & scope.condition(actor, Enterprise),
        )
        .where(
            scope.condition(actor, CodeConversion),
            scope.in_areas(CodeConversion.area_code, (area,)),
            CodeConversion.id > after,
            *_chosen(registrar, state, number.strip().upper()),
        )
        .order_by(CodeConversion.id)
        .limit(PAGE + 1)
    ).all()
    pairs = tuple(Pair(row, code) for row, code in rows[:PAGE])
    return pairs, pairs[-1].row.id if len(rows) > PAGE else None


def _chosen(registrar: str, state: str, number: str) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if registrar in REGISTRARS:
        conditions.append(CodeConversion.registrar == registrar)
    if state == "waiting":
        conditions.append(CodeConversion.uscc.is_(None))
    if state == "good":
        conditions += [CodeConversion.uscc.is_not(None), CodeConversion.problem == ""]
    if state == "bad":
        conditions.append(CodeConversion.problem != "")
    if number:
        conditions.append(or_(CodeConversion.old_number == number, CodeConversion.uscc == number))
    return conditions


def convert(
    session: Session, actor: Actor, key: int, code: str, *, on: date, source_ip: str
) -> CodeConversion:
    """Enter or put right the credit code of a pair.

    Raises `NoConversion`, `BadCode`, and `OtherCode` where the register of enterprises has
    another code for it or another entity has this one; nothing changes then.
    """
    row = session.scalar(
        select(CodeConversion)
        .where(scope.condition(actor, CodeConversion), CodeConversion.id == key)
        .with_for_update()
    )
    if row is None:
        raise NoConversion(f"no pair {key}")
    code = code.strip().upper()
    if not credit_code.is_valid(code) or code[0] != REGISTRARS[row.registrar]:
        raise BadCode("the credit code does not fit", field="uscc")
    _refuse_anothers(session, row, code)
    row.uscc, row.converted_on = code, row.converted_on or on
    session.flush()
    audit.record(
        session, "code_converted", actor_id=actor.account_id, source_ip=source_ip,
        subject=f"code_conversion:{row.id}", detail={"registrar": row.registrar},
    )  # fmt: skip
    session.refresh(row)
    return row


def _refuse_anothers(session: Session, row: CodeConversion, code: str) -> None:
    """Codes are the whole country's: whose one is, is asked beyond the caller's areas."""
    known: Any = session.execute(
        select(
            func.count(case((Enterprise.id != row.enterprise_id, 1))),
            func.count(case((Enterprise.id == row.enterprise_id, 1))),
        ).where(Enterprise.uscc == code)
    ).one()
    has_own = row.enterprise_id is not None and not known[1]
    own = (
        session.scalar(select(Enterprise.uscc).where(Enterprise.id == row.enterprise_id))
        if has_own
        else None
    )
    taken = session.scalar(
        select(func.count()).where(CodeConversion.uscc == code, CodeConversion.id != row.id)
    )
    if known[0] or own or taken:
        raise OtherCode("the code is another's, or the register has another one", field="uscc")
