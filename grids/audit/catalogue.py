"""Every act that the audit log can name: one literal table."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Action:
    """One kind of act.

    `kind` groups the log: sign_in, denied, read, change, export, grant, system.
    """

    name: str
    kind: str


#: Name -> act. The texts for people are `audit.<name>` of the catalogue `admin`.
ACTIONS: dict[str, Action] = {
    action.name: action
    for action in (
        Action("sign_in", "sign_in"),
        Action("sign_in_failed", "sign_in"),
        Action("sign_out", "sign_in"),
        Action("export", "export"),
        Action("alarm_acknowledged", "change"),
        Action("alarm_closed", "change"),
        Action("access_denied", "denied"),
        Action("audit_read", "read"),
        Action("audit_exported", "export"),
    )
}
