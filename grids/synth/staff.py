"""People who work with the platform: a worker per grid, leaders, seats, desks, departments."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import numpy as np

from grids.synth.names import person_names
from grids.synth.plan import CITY_ZONE, COUNTY, Plan

DESK = {"intake": 4, "shift_leader": 3, "dispatcher": 3}
SHIFTS_BACK_DAYS, SHIFTS_AHEAD_DAYS = 35, 14


@dataclass(frozen=True)
class Staff:
    """Accounts, lists of n, with the one assignment of each."""

    login: list[str]
    name: list[str]
    role: list[str]
    area: list[str]
    department: list[str | None]

    def who(self, role: str, area: str | None = None, department: str | None = None) -> list[int]:
        """List the indexes of those with a role, in an area or a department where given."""
        return [
            k for k, held in enumerate(self.role)
            if held == role and area in (None, self.area[k])
            and department in (None, self.department[k])
        ]  # fmt: skip


def hire(plan: Plan, grids: list[str], departments: list[str]) -> Staff:
    """Fill the posts: grids and communities from their codes, desks by shift."""
    posts: list[tuple[str, str, str, str | None]] = []
    for mark, role, digits in (
        ("w", "worker", 15),
        ("l", "grid_leader", 12),
        ("t", "town_seat", 9),
    ):
        areas = sorted({code[:digits] for code in grids})
        posts += [(f"{mark}{area}", role, area, None) for area in areas]
    size = 1 + round(plan.scale * 10)
    for role, count in DESK.items():
        posts += [(f"{role.replace('_', '-')}-{n}", role, COUNTY, None)
                  for n in range(1, count * size + 1)]  # fmt: skip
    for code in departments:
        posts += [(f"{code.lower()}-{n}", "handler", COUNTY, code) for n in range(1, 2 * size + 1)]
    names = person_names(plan.rng("staff"), len(posts))
    return Staff(
        login=[post[0] for post in posts],
        name=names,
        role=[post[1] for post in posts],
        area=[post[2] for post in posts],
        department=[post[3] for post in posts],
    )


def shifts(plan: Plan, staff: Staff) -> tuple[list[int], list[datetime], list[datetime]]:
    """Plan shifts of outdoor people around today: early or late, five or six days a week."""
    rng = plan.rng("shifts")
    zone = ZoneInfo(CITY_ZONE)
    who: list[int] = []
    starts: list[datetime] = []
    ends: list[datetime] = []
    outdoor = [k for k, role in enumerate(staff.role) if role in ("worker", "grid_leader")]
    free = rng.integers(0, 7, len(outdoor)).tolist()
    for k, off in zip(outdoor, free, strict=True):
        is_late = k % 5 == 4
        for ahead in range(-SHIFTS_BACK_DAYS, SHIFTS_AHEAD_DAYS + 1):
            day = plan.today + timedelta(days=ahead)
            if day.weekday() == off or rng.random() < 0.04:
                continue
            opens = time(13, 30) if is_late else time(8, 0)
            start = datetime.combine(day, opens, zone) + timedelta(
                minutes=int(rng.integers(-10, 9))
            )
            who.append(k)
            starts.append(start)
            ends.append(start + timedelta(hours=8.5 if is_late else 9.5))
    return who, starts, ends


def pick(rng: np.random.Generator, options: list[int]) -> int:
    """Choose one of several."""
    return options[int(rng.integers(len(options)))]
