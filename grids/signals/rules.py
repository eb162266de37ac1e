"""What raises an alarm: one literal table. A new rule is a new row, and its two texts.

Each row names a statement of `grids/sql/signals.sql`, which gives one line per subject that
did it `least` times within `window`. The texts are `signal.<name>` and `signal.<name>.hint`
of the catalogue `admin`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final, Literal

from grids.audit import ACTIONS

Weight = Literal["high", "medium", "low"]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)


@dataclass(frozen=True)
class Rule:
    """One pattern of acts that the security administrator has to look at."""

    name: str
    weight: Weight
    statement: str
    actions: tuple[str, ...]  #: acts of the catalogue that it looks at
    window: timedelta
    least: int


def acts(*kinds: str, unlike: tuple[str, ...] = ()) -> tuple[str, ...]:
    """Name the acts of some kinds, so that a new act of the catalogue is watched by itself."""
    return tuple(
        one.name for one in ACTIONS.values() if one.kind in kinds and one.name not in unlike
    )


#: Records of persons. Reading the log and tracing a leak are work of its own, of any extent.
READS: Final = acts("read", unlike=("audit_read", "export_traced"))
#: Data that left; to ask for it takes nothing away.
EXPORTS: Final = acts("export", unlike=("export_requested",))
DENIED: Final = acts("denied")

RULES: Final[dict[str, Rule]] = {
    rule.name: rule
    for rule in (
        Rule("failures_account", "medium", "by_account", ("sign_in_failed",), HOUR, 10),
        Rule("failures_source", "medium", "by_source", ("sign_in_failed",), HOUR, 20),
        Rule("spraying", "high", "accounts_of_source", ("sign_in_failed",), HOUR, 5),
        Rule("guessed", "high", "guessed", ("sign_in", "sign_in_failed"), HOUR, 5),
        Rule("two_places", "high", "sources_of_account", ("sign_in",), timedelta(minutes=10), 2),
        Rule("mass_read", "high", "records_of_account", READS, HOUR, 30),
        Rule("night_export", "high", "night_of_account", EXPORTS, 9 * HOUR, 1),
        Rule("many_exports", "medium", "by_account", EXPORTS, HOUR, 20),
        Rule("bulk_rows", "high", "rows_of_account", EXPORTS, DAY, 500_000),
        Rule("denied_series", "medium", "by_account", DENIED, timedelta(minutes=10), 10),
        Rule("sleeper", "medium", "sleeper", ("sign_in",), HOUR, 1),
        Rule("locked_often", "medium", "by_account", ("account_locked",), DAY, 3),
        Rule("tokens_refused", "medium", "by_source", ("token_refused",), HOUR, 20),
        Rule("chain_broken", "high", "chain_broken", ("audit_verified",), DAY, 1),
        Rule("log_unsealed", "high", "log_unsealed", ("audit_verified",), HOUR, 1),
    )
}
