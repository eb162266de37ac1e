"""What the pages of the three administrators share: the frame, times, names, charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

from flask import g, render_template, request, url_for
from flask_babel import format_datetime
from flask_babel import gettext as _

from app import faces
from app.auth import STEP_UP_LASTS
from grids import signals
from grids.accounts import Actor
from grids.signals.console import Hour

LONGEST_SEARCH: Final = 80
CHART = (600, 96)  #: width and height of a chart in its own units


@dataclass(frozen=True)
class Entry:
    """One line of the menu."""

    endpoint: str
    icon: str
    text: str  #: key of the catalogue


#: Permission -> the pages of that administrator; the first is the home.
MENU: Final[dict[str, tuple[Entry, ...]]] = {
    "admin:system": (
        Entry("admin.staff.accounts_list", "users", "admin.menu_accounts"),
        Entry("admin.state.page", "activity", "admin.menu_state"),
        Entry("admin.codes.page", "book", "admin.menu_codes"),
        Entry("admin.calendar.page", "calendar", "admin.menu_calendar"),
        Entry("admin.receivers.page", "send", "admin.menu_receivers"),
    ),
    "admin:security": (
        Entry("admin.console.page", "radar", "admin.menu_console"),
        Entry("admin.console.alarms", "bell", "admin.menu_alarms"),
        Entry("admin.grants.people", "key", "admin.menu_grants"),
        Entry("admin.rules.matrix", "table", "admin.menu_matrix"),
        Entry("admin.rules.policy", "shield-lock", "admin.menu_policy"),
        Entry("admin.keys.page", "fingerprint", "admin.menu_keys"),
        Entry("admin.console.weak", "user-search", "admin.menu_weak"),
        Entry("exporting.trace", "file-export", "admin.menu_trace"),
    ),
    "admin:audit": (
        Entry("admin.log.page", "list-details", "admin.menu_log"),
        Entry("admin.chain.page", "link", "admin.menu_chain"),
    ),
}
HOMES: Final = {
    "admin:system": "/admin/accounts",
    "admin:security": "/admin/console",
    "admin:audit": "/admin/audit",
}


def home_path(actor: Actor) -> str | None:
    """Return where an administrator starts; None for everybody else."""
    return next((path for permission, path in HOMES.items() if actor.can(permission)), None)


def page(template: str, **values: Any) -> str:
    """Render a page of the administrators inside their frame."""
    permission = next(name for name in MENU if g.actor.can(name))
    alarms = signals.open_count(g.session) if permission == "admin:security" else None
    return render_template(
        f"admin/{template}.html",
        menu=MENU[permission],
        role_name=str(_(f"role.{permission.removeprefix('admin:')}_admin")),
        home=HOMES[permission],
        open_alarms=alarms,
        here=_here(MENU[permission]),
        moment=moment,
        page_data={
            "city": {"zone": faces.settings().city_zone},
            "now": datetime.now(UTC).isoformat(),
            "fresh_until": (g.confirmed_at + STEP_UP_LASTS).isoformat() if g.confirmed_at else "",
            "proof_lasts_s": int(STEP_UP_LASTS.total_seconds()),
        },
        **values,
    )


def _here(entries: tuple[Entry, ...]) -> str:
    """Return the line of the menu that the page belongs to: the one with the longest address."""
    paths = {url_for(entry.endpoint): entry.endpoint for entry in entries}
    fitting = [path for path in paths if f"{request.path}/".startswith(f"{path}/")]
    return paths[max(fitting, key=len)] if fitting else ""


def moment(at: datetime | None) -> str:
    """Write an instant on the city's clock, with the year."""
    return str(format_datetime(at, "yyyy-MM-dd HH:mm")) if at else "–"


def exactly(at: datetime) -> str:
    """Write an instant to the second with its offset from UTC, as the audit log is read."""
    return str(format_datetime(at, "yyyy-MM-dd HH:mm:ss xxx"))


def source_ip() -> str:
    """Return where the request comes from."""
    return request.remote_addr or ""


def wanted(name: str, most: int = LONGEST_SEARCH) -> str:
    """Read a word of the address."""
    return request.args.get(name, "").strip()[:most]


def whole(text: str) -> int | None:
    """Read a whole number of the address; None where it is none."""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def bars(hours: Sequence[Hour]) -> dict[str, Any]:
    """Lay out counts by the hour as the bars of a small chart."""
    width, height = CHART
    top = max([hour.count for hour in hours], default=0)
    step = width / max(1, len(hours))
    return {
        "width": width,
        "height": height,
        "top": top,
        "total": sum(hour.count for hour in hours),
        "bars": [
            {
                "x": round(number * step + step * 0.14, 2),
                "width": round(step * 0.72, 2),
                "height": round(hour.count / top * (height - 4), 2) if top else 0,
                "count": hour.count,
                "at": format_datetime(hour.at, "MM-dd HH:00"),
            }
            for number, hour in enumerate(hours)
        ],
    }
