"""Roles and what each may do; every role and permission of the platform stands here."""

from __future__ import annotations

CASE_VIEW = frozenset({"map:view", "grid:view", "incident:view", "enterprise:view", "live:view"})
#: What the seats of the command center do with a case; calling a reporter back is a logged act.
CASE_DESK = frozenset(
    {"command:view", "incident:move", "reporter:reveal", "desk:dispatch", "rules:view"}
    | {"channel:answer", "watch:view"}
)

#: Hazards of the own area, with their layer of the one map; departments see what is theirs.
HAZARDS = frozenset({"hazard:view", "hazard:map", "hazard:report", "hazard:move"})
#: A dispute is confidential: who has no `dispute:all` sees what they have part in.
DISPUTES = frozenset({"dispute:view", "dispute:register", "dispute:move"})
DISPUTE_SEAT = DISPUTES | {"dispute:all", "dispute:parties", "dispute:count"}

#: Role -> what it may do. Where it may do it is said by the assignment (area, department).
ROLES: dict[str, frozenset[str]] = {
    # Who is responsible is decided above those who are measured by it: no dispatcher, town or
    # department writes the rules, and the three administrators decide nothing of the business.
    "commander": CASE_VIEW
    | {"ledger:view", "forms:approve"}
    | {"command:view", "incident:move", "export:approve", "key_population:view"}
    | {"watch:view"}
    | {"rules:view", "rules:manage"}
    | {"grids:view", "grids:approve"}
    | {"hazard:view", "hazard:map", "dispute:count"}
    # Where mains lie is for who commands and who keeps the register; others are not shown one.
    | {"pipe:view"},
    "intake": CASE_VIEW
    | CASE_DESK
    | {"incident:submit", "intake:take", "hazard:view", "hazard:map", "hazard:report"}
    | {"letter:view", "letter:answer"}
    | DISPUTE_SEAT,
    # What a letter says in confidence is read by who leads the shift, and nobody below.
    "shift_leader": CASE_VIEW | CASE_DESK | {"letter:view", "letter:answer", "letter:confidential"},
    "dispatcher": CASE_VIEW | CASE_DESK,
    "town_seat": CASE_VIEW
    | CASE_DESK
    | {"incident:submit", "intake:take", "key_population:view", "desk:view"}
    | {"ledger:view", "base:sign"}
    | HAZARDS
    | DISPUTE_SEAT,
    # 人民调解员: mediates in the area of a people's mediation committee.
    "mediator": DISPUTE_SEAT | {"grid:view", "map:view"},
    "handler": CASE_VIEW
    | {"desk:view", "incident:move", "rules:view", "ledger:view"}
    | {"hazard:view", "hazard:move"},
    "worker": CASE_VIEW
    | {"worker:view", "incident:submit", "incident:move", "visit:make", "address:answer"}
    | HAZARDS
    | DISPUTES,
    "grid_leader": CASE_VIEW
    | {"worker:view", "incident:submit", "incident:move", "visit:make", "address:answer"}
    | {"base:sign"}
    | HAZARDS
    | DISPUTES,
    # Another system: it sends cases and asks for its own, by a token, and sees nothing else.
    "system": frozenset({"channel:send"}),
    "planner": frozenset(
        {"map:view", "grid:view", "planner:view", "export:run", "key_population:view"}
        | {"grids:view", "grids:design"}
    ),
    # 人口专管员: finds one resident by number, never lists them; answers what residents ask.
    "registrar": frozenset(
        {"person:find", "person:reveal", "subject:handle"}
        | {"key_population:view", "key_population:load"}
    ),
    # 数据专员: brings files in, answers for their quality; residents' rows are the registrar's.
    "steward": frozenset(
        {"map:view", "grid:view", "enterprise:view"}
        | {"data:view", "data:import", "data:decide", "address:answer", "pipe:view"}
        | {"ledger:view", "forms:write"}
        | {"grids:view", "grids:design"}
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
