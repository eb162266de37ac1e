"""Whether what was sent names things that exist: category, department, worker, photos, place."""

from __future__ import annotations

from datetime import date

from sqlalchemy import ScalarSelect, func, or_, select
from sqlalchemy.orm import Session

from grids.accounts import Account, Assignment
from grids.codes import Category, CategoryLimit, Department
from grids.codes import of as codes_of
from grids.incidents import clockwork, lifecycle
from grids.incidents.clocks import DEFAULT_HANDLING, Limit, as_unit
from grids.incidents.errors import (
    BadLevel,
    MissingField,
    TooLong,
    UnknownCategory,
    UnknownDepartment,
    UnknownPhoto,
    UnknownReason,
    UnknownWorker,
)
from grids.incidents.lifecycle import Move
from grids.incidents.models import Blob, Incident, IncidentEvent
from grids.incidents.requests import (
    LONGEST_LINE,
    LONGEST_TEXT,
    MOST_PHOTOS,
    MoveRequest,
    Report,
)


def require_fields(move: Move, sent: Report | MoveRequest) -> None:
    """Check that a request carries what its line of the table asks for.

    Raises `MissingField`, `UnknownReason` or `TooLong`, each naming the field.
    """
    for wanted in move.requires:
        if not any(_is_given(sent, name) for name in wanted.split("|")):
            raise MissingField(f"{move.action} needs {wanted}", field=wanted, action=move.action)
    if isinstance(sent, MoveRequest) and move.reasons and sent.reason is not None:
        allowed = lifecycle.REASONS[move.reasons]
        if sent.reason not in allowed:
            raise UnknownReason(f"no reason {sent.reason!r} for {move.action}", field="reason")
    if sent.urgency is not None and sent.urgency not in lifecycle.URGENCIES:
        raise MissingField("urgency is A, B, C or D", field="urgency", action=move.action)
    if isinstance(sent, MoveRequest):
        _check_choices(move, sent)
    _check_lengths(sent)


def category_of(session: Session, code: str, kind: str, on: date) -> Category:
    """Return the sub-class with this code on a day. Raises `UnknownCategory`."""
    found = session.scalar(select(Category).where(Category.id == _category_id(code, kind, on)))
    if found is None:
        raise UnknownCategory(f"no category {code!r} of kind {kind!r}", field="category")
    return found


def _category_id(code: str, kind: str, on: date) -> ScalarSelect[int]:
    """Select the key of the sub-class that holds on a day, the newest where lists overlap."""
    return (
        select(Category.id)
        .where(
            Category.code == code,
            Category.kind == kind,
            Category.parent.is_not(None),
            or_(Category.valid_to.is_(None), Category.valid_to > on),
        )
        .order_by(Category.valid_from.desc(), Category.id)
        .limit(1)
        .correlate(None)
        .scalar_subquery()
    )


def limit_of_case(
    session: Session, row: Incident, category_id: int, urgency: str, days: tuple[date, ...]
) -> Limit:
    """Return how long handling of a case may take: as an answer says, else as its category does.

    Of the days the first on which the category has a limit counts: the one on which the case
    came in, so that a change of limits holds for later cases only; then today, for a category
    that is younger than the case. An answer says it for the urgency that it was given with.
    """
    said = session.execute(
        select(IncidentEvent.data["answers"], IncidentEvent.data["urgency"].astext).where(
            IncidentEvent.incident_id == row.id,
            IncidentEvent.recorded_at == row.received_at,
            IncidentEvent.seq == 1,
        )
    ).first()
    if said is not None and said[0] and said[1] == urgency:
        for _, option in codes_of(session, category_id, days[0]).answered(said[0]):
            if option.value is not None and option.unit is not None:
                return Limit(option.value, as_unit(option.unit))
    for on in days:
        if found := category_limit(session, category_id, urgency, on, row.area_code):
            return found
    return DEFAULT_HANDLING[urgency]


def handling_limit(session: Session, category_id: int, urgency: str, on: date) -> Limit:
    """Return how long handling may take, by category and urgency on a day."""
    return category_limit(session, category_id, urgency, on) or DEFAULT_HANDLING[urgency]


def category_limit(
    session: Session, category_id: int, urgency: str, on: date, area_code: str = ""
) -> Limit | None:
    """Return the limit that the table has on a day; None where it has none.

    The row of the deepest area whose kind has one goes before the row of all areas.
    """
    rows = session.execute(
        select(CategoryLimit.area_kind, CategoryLimit.value, CategoryLimit.unit).where(
            CategoryLimit.category_id == category_id,
            CategoryLimit.urgency == urgency,
            CategoryLimit.valid_from <= on,
            or_(CategoryLimit.valid_to.is_(None), CategoryLimit.valid_to > on),
        )
    )
    found = {row.area_kind: Limit(row.value, as_unit(row.unit)) for row in rows}
    kinds = clockwork.area_kinds(session, area_code) if found.keys() - {""} else ()
    return next((found[kind] for kind in (*kinds, "") if kind in found), None)


def require_departments(session: Session, codes: tuple[str, ...]) -> None:
    """Check that every department exists. Raises `UnknownDepartment`."""
    wanted = set(codes)
    known = set(session.scalars(select(Department.code).where(Department.code.in_(wanted))))
    if missing := wanted - known:
        raise UnknownDepartment(f"no department {min(missing)!r}", field="department")


def require_worker(session: Session, account_id: int, area_code: str, on: date) -> None:
    """Check that an account is a worker or leader of the case's area. Raises `UnknownWorker`."""
    held = select(Assignment.id).join(Account, Account.id == Assignment.account_id).where(
        Account.id == account_id,
        Account.is_active,
        Assignment.role.in_(lifecycle.FIELD),
        func.starts_with(area_code, Assignment.area_code),
        Assignment.valid_from <= on,
        or_(Assignment.valid_to.is_(None), Assignment.valid_to > on),
    )  # fmt: skip
    if session.scalar(held.limit(1)) is None:
        raise UnknownWorker(f"no worker {account_id} in {area_code}", field="worker")


def require_photos(session: Session, hashes: tuple[str, ...]) -> None:
    """Check that photos were stored before something names them. Raises `UnknownPhoto`."""
    if not hashes:
        return
    require_count(hashes)
    wanted = set(hashes)
    known = set(session.scalars(select(Blob.sha256).where(Blob.sha256.in_(wanted))))
    if missing := wanted - known:
        raise UnknownPhoto(f"photo {min(missing)[:12]} was not sent", field="photos")


def require_count(*hashes: tuple[str, ...]) -> None:
    """Check that no more photos are named than a step may have. Raises `TooLong`."""
    if sum(map(len, hashes)) > MOST_PHOTOS:
        raise TooLong(f"more than {MOST_PHOTOS} photos", field="photos", most=MOST_PHOTOS)


def _is_given(sent: Report | MoveRequest, name: str) -> bool:
    if name == "point":
        return sent.lon is not None and sent.lat is not None
    value = getattr(sent, name)
    return bool(value.strip() if isinstance(value, str) else value)


def _check_choices(move: Move, sent: MoveRequest) -> None:
    if sent.grade is not None and sent.grade not in lifecycle.GRADES:
        raise MissingField("no such grade", field="grade", action=move.action)
    if sent.level is not None and sent.level not in lifecycle.LEVELS:
        raise BadLevel(f"no level {sent.level!r}", field="level")


def _check_lengths(sent: Report | MoveRequest) -> None:
    limits = {"text": LONGEST_TEXT, "note": LONGEST_TEXT, "address": LONGEST_LINE,
              "device": LONGEST_LINE, "outside": LONGEST_LINE}  # fmt: skip
    for name, most in limits.items():
        if len(getattr(sent, name, "")) > most:
            raise TooLong(f"{name} has more than {most} characters", field=name, most=most)
