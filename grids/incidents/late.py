"""What a device brings after the case has gone on without it: kept, flagged and told (R19)."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from grids.accounts import Actor
from grids.errors import GridsError
from grids.incidents import checks, roles
from grids.incidents.lifecycle import find_move
from grids.incidents.machine import Dossier, Setting, fact_of, timed
from grids.incidents.projection import Fact
from grids.incidents.requests import MoveRequest

#: Steps of people outdoors whose words and photos are evidence, whenever they arrive.
BRINGING: Final = ("verify", "find_untrue", "handle", "reply", "assist_reply", "check_ok",
                   "sample_ok", "sample_failed", "late_evidence")  # fmt: skip


def is_late(dossier: Dossier, wanted: MoveRequest) -> bool:
    """Say whether a step was made on a device before the case came to where it is now."""
    return (
        wanted.action in BRINGING
        and wanted.device_at is not None
        and wanted.device_at <= dossier.case.stage_at
        and bool(wanted.photos or wanted.note.strip())
    )


def kept(
    dossier: Dossier, wanted: MoveRequest, actor: Actor, setting: Setting, refused: GridsError,
    *, now: datetime,
) -> Fact:  # fmt: skip
    """Return the evidence of a step that is no longer possible. Raises the refusal otherwise."""
    line = find_move("late_evidence", dossier.case.status)
    role = roles.role_for(line, dossier.case, actor) if line else None
    if line is None or role is None or not is_late(dossier, wanted):
        raise refused
    checks.require_fields(line, wanted)
    data = {**setting.resolve(), "meant": wanted.action}
    fact = fact_of(dossier, line, wanted, actor, role, data, now)
    return timed(dossier, fact, setting)
