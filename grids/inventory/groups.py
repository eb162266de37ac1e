"""Groups of tables: what holds for all their columns that speak of no person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True)
class Group:
    """What holds for all columns of a table that speak of no person."""

    purpose: str
    retention: str
    who: str


@dataclass(frozen=True)
class Listed:
    """One table: its group, and the names of its columns, each of them judged."""

    table: str
    group: str
    columns: str


GROUPS: Final = {
    "map": Group("the one map", "while valid", "map:view"),
    "registers": Group("registers of dwellings and enterprises", "while valid", "enterprise:view"),
    "pipes": Group("pipes and cables in the ground", "while valid", "pipe:view"),
    "quality": Group("data quality and base numbers", "as long as the register", "grid:view"),
    "addresses": Group("texts whose address is confirmed", "while valid", "address:answer"),
    "plans": Group("plans of new duty grids", "as long as the platform", "data:view"),
    "codes": Group("code lists", "while valid", "map:view"),
    "cases": Group("cases and their proof", "as long as the case", "incident:view"),
    "letters": Group("letters to the city", "one year after their end", "letter:view"),
    "disputes": Group("disputes and their mediation", "as long as the dispute", "dispute:view"),
    "hazards": Group("hazards and inspections", "as long as the hazard", "hazard:view"),
    "forms": Group(
        "forms and ledgers of the departments", "as long as the platform", "ledger:view"
    ),
    "visits": Group("visits and what was seen", "as long as the register", "ledger:view"),
    "imports": Group(
        "tables of departments on their way into registers", "thirty days", "data:import"
    ),
    "counts": Group("published counts of at least ten", "until published anew", "grid:view"),
    "people": Group("register of residents", "two years after moving out", "person:find"),
    "staff": Group("accounts of staff", "while the account exists", "admin:system"),
    "audit": Group("who saw or changed what", "180 days or longer", "admin:audit"),
    "exports": Group("requests for exports", "180 days", "export:run"),
    "desk": Group("work of the dispatch desk", "while it is used", "desk:dispatch"),
    "drafts": Group("replies not sent yet", "until the step, 7 days at most", "incident:move"),
    "rules": Group("who is responsible for what", "as long as the platform", "rules:view"),
    "system": Group("the platform itself", "days", "nobody"),
}
