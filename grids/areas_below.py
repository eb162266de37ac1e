"""Names of areas and grids by their codes, and the small ones that somebody may choose from."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.cells import Grid
from grids.divisions import Area

MOST = 400


def names(session: Session, codes: Iterable[str]) -> dict[str, tuple[str, str]]:
    """Return names in Chinese and in English by code; a grid carries its community's before it."""
    wanted = set(codes)
    known = wanted | {code[:12] for code in wanted}
    found = {
        row.code: (row.name_zh, row.name_en)
        for row in session.execute(
            select(Area.code, Area.name_zh, Area.name_en).where(Area.code.in_(known))
        )
    }
    for row in session.execute(select(Grid.code, Grid.name).where(Grid.code.in_(wanted))):
        zh, en = found.get(row.code[:12], ("", ""))
        name = row.name or row.code
        # A grid that is called after its community says so already.
        is_named = bool(zh) and name.startswith(zh)
        found[row.code] = (
            name if is_named else f"{zh} {name}".strip(),
            f"{en}, {name}".strip(", "),
        )
    return found


def grids_and_communities(session: Session, actor: Actor) -> list[tuple[str, str, str]]:
    """Return what the caller may place something in: communities, and grids where they are few."""
    communities = select(Area.code).where(
        scope.in_areas(Area.code, actor.areas), func.length(Area.code) == 12,
        Area.valid_to.is_(None),
    )  # fmt: skip
    grids = select(Grid.code).where(scope.in_areas(Grid.code, actor.areas))
    codes = [*session.scalars(communities.order_by(Area.code).limit(MOST))]
    small = [*session.scalars(grids.order_by(Grid.code).limit(MOST))]
    if len(codes) + len(small) <= MOST:
        codes += small
    known = names(session, codes)
    return [(code, *known[code]) for code in sorted(codes) if code in known]
