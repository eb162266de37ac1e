"""Where each cell of a ledger comes from: the answer, its day, the role of who gave it, the form."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor, Assignment
from grids.ledgers.models import FormVersion, Ledger, Observation
from grids.ledgers.tables import columns
from grids.ledgers.visits import VISITORS


@dataclass(frozen=True)
class Origin:
    """One answer as a department may see it: no name stands here, the role does."""

    question: str
    question_no: int
    value: Any
    observed_at: datetime
    recorded_at: datetime
    source: str  #: visit, confirmed, corrected
    role: str  #: worker, grid_leader; empty where the account has none of them any more
    form_zh: str
    form_en: str
    form_no: int
    has_photo: bool
    replaced: Any  #: what the register had before, where the answer was written back


def origins(
    session: Session, actor: Actor, found: Ledger, key: int, *, as_of: datetime
) -> Mapping[str, list[Origin]]:
    """Return the answers about one subject by the columns of a ledger, the newest first."""
    keys = [one.name for one in columns(session, found) if one.source == "q"]
    role = (
        select(func.min(Assignment.role))
        .where(Assignment.account_id == Observation.worker_id, Assignment.role.in_(VISITORS))
        .scalar_subquery()
    )
    rows = session.execute(
        select(
            Observation.question, Observation.question_no, Observation.value,
            Observation.observed_at, Observation.recorded_at, Observation.source,
            func.coalesce(role, "").label("role"), FormVersion.name_zh, FormVersion.name_en,
            FormVersion.no, Observation.photo.is_not(None).label("has_photo"),
            Observation.replaced,
        )
        .join(FormVersion, FormVersion.id == Observation.version_id)
        .where(
            scope.condition(actor, Observation), Observation.subject == found.subject,
            Observation.subject_id == key, Observation.question.in_(keys),
            Observation.observed_at <= as_of,
        )
        .order_by(Observation.question, Observation.observed_at.desc(), Observation.id.desc())
    )  # fmt: skip
    by_question: dict[str, list[Origin]] = {}
    for row in rows:
        by_question.setdefault(row.question, []).append(Origin(*row))
    return by_question
