"""Roles and what each may do; every role and permission of the platform stands here."""

from __future__ import annotations

CASE_VIEW = frozenset({"map:view", "grid:view", "incident:view", "enterprise:view", "live:view"})
#: What the seats of the command center do with a case; calling a reporter back is a logged act.
CASE_DESK = frozenset(
    {"command:view", "incident:move", "reporter:reveal", "desk:dispatch", "rules:view"}
)

#: Role -> what it may do. Where it may do it is said by the assignment (area, department).
ROLES: dict[str, frozenset[str]] = {
    # Who is responsible is decided above those who are measured by it: no dispatcher, town or
    # department writes the rules, and the three administrators decide nothing of the business.
    "commander": CASE_VIEW
    | {"command:view", "export:approve", "key_population:view"}
    | {"rules:view", "rules:manage"},
    "intake": CASE_VIEW | CASE_DESK | {"incident:submit"},
    "shift_leader": CASE_VIEW | CASE_DESK,
    "dispatcher": CASE_VIEW | CASE_DESK,
    "town_seat": CASE_VIEW | CASE_DESK | {"incident:submit", "key_population:view"},
    "handler": CASE_VIEW | {"desk:view", "incident:move", "rules:view"},
    "worker": CASE_VIEW | {"worker:view", "incident:submit", "incident:move"},
    "grid_leader": CASE_VIEW | {"worker:view", "incident:submit", "incident:move"},
    "planner": frozenset(
        {"map:view", "grid:view", "planner:view", "export:run", "key_population:view"}
    ),
    # 人口专管员: finds one resident by number, never lists them; answers what residents ask.
    "registrar": frozenset(
        {"person:find", "person:reveal", "subject:handle"}
        | {"key_population:view", "key_population:load"}
    ),
    # 三员: the system's accounts, what they may do, and the record of it are three people's work.
    "system_admin": frozenset({"admin:system"}),
    "security_admin": frozenset({"admin:security"}),
    "audit_admin": frozenset({"admin:audit"}),
}

#: 三员: an account with one of these holds no other role (a trigger of the database says so too).
ADMIN_ROLES = frozenset({"system_admin", "security_admin", "audit_admin"})
#: Roles whose cases are those dispatched to a department: they need one.
DEPARTMENT_ROLES = frozenset({"handler"})
