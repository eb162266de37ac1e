"""Empty the registers for a new map, and only when no case would be lost unasked."""

from __future__ import annotations

from psycopg import sql
from sqlalchemy import Connection

from grids.bulk import driver
from grids.errors import Conflict

#: Everything that belongs to one city's map, its cases included. Accounts and the audit stay.
CITY_TABLES = (
    "channel_case", "hand_over", "clock_reminder", "desk_claim", "desk_draft", "duty_alarm", "hazard",
    "inspection", "outbox_message", "hazard_event", "hazard_photo", "inspection_answer",
    "visit_photo", "visit", "observation",
    "letter", "letter_photo", "letter_answer",
    "precedent", "arbitration_statement", "arbitration", "moratorium",
    "responsibility_trial", "responsibility_rule", "responsibility_set",
    "held_move", "sample_case", "sample_draw",
    "attachment", "incident_link", "incident_reporter", "incident_clock", "incident_task",
    "incident_event", "incident",
    "person_event", "person", "household", "dwelling", "people_count", "people_group_count", "people_draw",
    "population_count", "population_batch", "population_told",
    "quality_alarm", "quality_result", "base_signature", "base_number", "macro_figure",
    "import_key", "import_mend", "import_row", "import_batch", "duplicate_pair", "entry_merge",
    "fact", "fact_check", "correction", "correction_file", "register_change", "site", "premises", "enterprise", "component", "facility", "building",
    "address_alias", "address_question", "address_name", "address",
    "cell", "grid_version", "grid_plan_edit", "grid_plan", "grid", "area",
    "code_conversion", "pipe",
    "road", "water", "landuse", "place",
)  # fmt: skip


class CasesExist(Conflict):
    """A new map would throw away the cases that are stored."""

    code = "import.cases_exist"


def refuse_to_lose_cases(connection: Connection, *, force: bool) -> None:
    """Raise `CasesExist` where incidents are stored, unless `force`."""
    row = driver(connection).execute("SELECT count(*) FROM incident").fetchone()
    found = int(row[0]) if row else 0
    if found and not force:
        raise CasesExist(
            f"{found} incidents are stored; a new map would delete them", incidents=found
        )


def clear_city(connection: Connection) -> None:
    """Empty all tables of the city's map and its cases, at once and in this transaction."""
    driver(connection).execute(
        sql.SQL("TRUNCATE {}").format(sql.SQL(", ").join(map(sql.Identifier, CITY_TABLES)))
    )
