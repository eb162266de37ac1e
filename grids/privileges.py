"""Which database role may do what with which table: one literal list, applied after migrations.

The app role owns nothing. The log tables are append-only for everybody but their owner.
The tile role sees only what a map may show: no person, no account, no reporter.
"""

from __future__ import annotations

from sqlalchemy import Connection, text

ROLES = ("wangge_app", "wangge_worker", "wangge_tiles", "wangge_auditor", "wangge_backup")

READ, ADD, CHANGE, REMOVE = "SELECT", "INSERT", "UPDATE", "DELETE"
MAP_TABLES = (
    "city", "area", "grid", "grid_version", "cell", "road", "water", "landuse", "place",
    "building", "address", "address_name", "component", "facility", "enterprise", "premises", "site", "pipe",
    "calendar_change", "calendar_version", "category", "category_limit", "category_rule", "code_change", "code_load", "code_map",
    "code_system", "stage_limit", "work_span", "department", "workday", "people_count",
    "people_group_count", "population_category",
    "layer_count", "layer_stat", "source_version",
)  # fmt: skip

#: Things that stewards correct by hand, each change kept by a trigger.
REGISTERS = (
    "building",
    "address",
    "enterprise",
    "premises",
    "component",
    "facility",
    "site",
    "pipe",
)

#: Those of them in which something is entered by hand.
ENTERED = ("enterprise", "premises", "component", "facility")

#: role -> table -> what it may do
PRIVILEGES: dict[str, dict[str, tuple[str, ...]]] = {
    "wangge_app": {
        **dict.fromkeys(MAP_TABLES, (READ,)),
        **dict.fromkeys(REGISTERS, (READ, CHANGE)),
        **dict.fromkeys(ENTERED, (READ, ADD, CHANGE)),
        "register_change": (READ,),
        "code_conversion": (READ, CHANGE),
        "fact": (READ, ADD, CHANGE, REMOVE),
        **dict.fromkeys(("fact_check", "correction_file", "correction"), (READ, ADD, CHANGE)),
        **dict.fromkeys(("quality_result", "base_number"), (READ,)),
        "quality_alarm": (READ, CHANGE),
        "base_signature": (READ, ADD),
        "macro_figure": (READ, ADD),
        "duplicate_pair": (READ, CHANGE),
        "entry_merge": (READ, ADD, CHANGE),
        "category_limit": (READ, ADD, CHANGE),
        "category_rule": (READ, ADD, CHANGE),
        "workday": (READ, ADD, CHANGE, REMOVE),
        "work_span": (READ, ADD, CHANGE, REMOVE),
        "stage_limit": (READ, ADD, CHANGE, REMOVE),
        "calendar_version": (READ, ADD),
        "calendar_change": (READ, ADD),
        "calendar_draft": (READ, ADD, CHANGE),
        "category": (READ, ADD, CHANGE),
        "code_map": (READ, ADD, CHANGE),
        "code_system": (READ, ADD, CHANGE),
        "department": (READ, ADD, CHANGE),
        "population_category": (READ, ADD, CHANGE),
        "code_load": (READ, ADD),
        "code_upload": (READ, ADD, CHANGE),
        "code_change": (READ, ADD),
        "dwelling": (READ,),
        "account": (READ, ADD, CHANGE),
        "assignment": (READ, ADD, CHANGE),
        "sign_in_session": (READ, ADD, CHANGE, REMOVE),
        "sign_in_failure": (READ, ADD, REMOVE),
        "past_password": (READ, ADD, REMOVE),
        "second_factor": (READ, ADD, CHANGE, REMOVE),
        "recovery_code": (READ, ADD, CHANGE, REMOVE),
        "api_token": (READ, ADD, CHANGE),
        "linked_identity": (READ, ADD, REMOVE),
        "provider_try": (READ, ADD, CHANGE, REMOVE),
        "shift": (READ, ADD, CHANGE),
        "audit_event": (READ, ADD),
        "audit_link": (READ,),
        "audit_state": (READ,),
        "audit_head": (READ, ADD),
        "audit_check": (READ, ADD),
        "export_request": (READ, ADD, CHANGE),
        "request_key": (READ, ADD),
        "number_day": (READ, ADD),
        "rate_count": (READ, ADD, CHANGE),
        "incident": (READ, ADD, CHANGE),
        "outbox_receiver": (READ, CHANGE),
        "outbox_message": (READ, ADD, CHANGE),
        "channel_system": (READ,),
        "channel_category": (READ,),
        "channel_case": (READ, ADD, CHANGE),
        "hand_over": (READ, ADD, CHANGE),
        "duty_alarm": (READ, CHANGE),
        "letter_box": (READ,),
        "letter": (READ, CHANGE),
        "letter_photo": (READ,),
        "letter_answer": (READ, ADD),
        "reconciliation": (READ,),
        "incident_event": (READ, ADD),
        "incident_task": (READ, ADD, CHANGE, REMOVE),
        "incident_clock": (READ, ADD, CHANGE, REMOVE),
        "incident_reporter": (READ, ADD, REMOVE),
        "person": (READ, CHANGE),
        "person_event": (READ, ADD),
        "household": (READ,),
        "person_access": (READ, ADD),
        "subject_request": (READ, ADD, CHANGE),
        "erasure_certificate": (READ, ADD),
        "incident_link": (READ, ADD, REMOVE),
        "held_move": (READ, ADD, CHANGE),
        "sample_draw": (READ,),
        "sample_case": (READ,),
        "dispute": (READ, ADD, CHANGE),
        "dispute_event": (READ, ADD),
        "dispute_photo": (READ, ADD),
        "dispute_party": (READ, ADD),
        "dispute_paper": (READ, ADD),
        "dispute_term": (READ, ADD, CHANGE),
        "hazard": (READ, ADD, CHANGE),
        "hazard_event": (READ, ADD),
        "hazard_photo": (READ, ADD),
        "inspection": (READ, ADD),
        "inspection_answer": (READ, ADD),
        **dict.fromkeys(("work_line", "ledger"), (READ,)),
        "form_question": (READ, ADD),
        "form_version": (READ, ADD, CHANGE),
        **dict.fromkeys(("visit", "visit_photo", "observation"), (READ, ADD)),
        "desk_claim": (READ, ADD, CHANGE, REMOVE),
        "saved_filter": (READ, ADD, CHANGE, REMOVE),
        "desk_draft": (READ, ADD, CHANGE, REMOVE),
        "blob": (READ, ADD),
        "attachment": (READ, ADD),
        "population_batch": (READ, ADD),
        "population_count": (ADD,),
        "population_told": (READ,),
        "feed": (READ,),
        "feed_state": (READ,),
        "key_run": (READ, ADD, CHANGE),
        "key_use": (READ,),
        "alarm": (READ, CHANGE),
        "signal_count": (READ,),
        "signal_state": (READ,),
        "responsibility_set": (READ, ADD, CHANGE, REMOVE),
        "responsibility_rule": (READ, ADD, CHANGE, REMOVE),
        "responsibility_trial": (READ, ADD),
        "moratorium": (READ, ADD, CHANGE),
        "arbitration": (READ, ADD, CHANGE),
        "arbitration_statement": (READ, ADD, CHANGE),
        "precedent": (READ, ADD, CHANGE),
        "address_question": (READ, ADD, CHANGE),
        "address_alias": (READ, ADD, CHANGE),
        "grid_plan": (READ, ADD, CHANGE),
        "grid_plan_edit": (READ, ADD, REMOVE),
        "import_source": (READ, ADD, CHANGE),
        "import_batch": (READ, ADD, CHANGE),
        "import_row": (READ,),
        "import_mend": (READ, ADD),
        "import_connection": (READ, ADD, CHANGE, REMOVE),
        "import_key": (READ,),
    },
    "wangge_worker": {
        **dict.fromkeys(MAP_TABLES, (READ,)),
        # Batches of tables are taken over and taken back by jobs; new grids link what has a place.
        **dict.fromkeys(REGISTERS, (READ, ADD, CHANGE, REMOVE)),
        # Taking a batch back asks whatever refers to its entries.
        "code_conversion": (READ,),
        "fact": (READ, ADD, CHANGE, REMOVE),
        "fact_check": (READ, ADD, CHANGE),
        "correction": (READ, CHANGE),
        "import_source": (READ, CHANGE),
        "import_batch": (READ, CHANGE),
        "import_row": (READ, ADD, CHANGE, REMOVE),
        "import_mend": (READ,),
        "import_key": (READ, ADD, CHANGE, REMOVE),
        # At the switch to new grids: versions.
        "grid": (READ, ADD),
        "grid_version": (READ, ADD, CHANGE),
        "cell": (READ, CHANGE),
        "grid_plan": (READ, CHANGE),
        "calendar_version": (READ, CHANGE),
        "calendar_draft": (READ, CHANGE),
        **dict.fromkeys(("register_change", "visit", "observation", "form_question"), (READ,)),
        "quality_result": (READ, ADD, REMOVE),
        "quality_alarm": (READ, ADD, CHANGE),
        "duplicate_pair": (READ, ADD, CHANGE),
        "entry_merge": (READ,),
        "base_number": (READ, ADD),
        "people_count": (READ, ADD, CHANGE, REMOVE),
        "people_group_count": (READ, ADD, REMOVE),
        "people_draw": (READ, ADD, REMOVE),
        "outbox_receiver": (READ, CHANGE),
        "outbox_message": (READ, ADD, CHANGE),
        "channel_system": (READ,),
        "channel_case": (READ, CHANGE),
        "duty_alarm": (READ, ADD, CHANGE),
        "letter_box": (READ, ADD, CHANGE),
        "letter": (READ, ADD, CHANGE, REMOVE),
        "letter_photo": (READ, ADD, REMOVE),
        "letter_answer": (READ, REMOVE),
        "reconciliation": (READ, ADD),
        "incident_link": (READ,),
        "population_batch": (READ,),
        "population_count": (READ,),
        "population_told": (READ, ADD, REMOVE),
        "layer_count": (READ, ADD, CHANGE, REMOVE),
        "layer_stat": (READ, ADD, CHANGE),
        "source_version": (READ, ADD, CHANGE),
        "dwelling": (READ,),
        "household": (READ, CHANGE),
        "person": (READ, CHANGE, REMOVE),
        "person_event": (READ,),
        "person_access": (READ, REMOVE),
        "subject_request": (READ, REMOVE),
        "incident_reporter": (READ, REMOVE),
        "erasure_certificate": (READ, ADD),
        "account": (READ,),
        "assignment": (READ,),
        "shift": (READ,),
        "sign_in_session": (READ, REMOVE),
        "sign_in_failure": (READ, REMOVE),
        "api_token": (READ,),
        "audit_event": (READ, ADD),
        "audit_link": (READ, ADD),
        "audit_state": (READ, CHANGE),
        "audit_head": (READ, ADD),
        "audit_check": (READ, CHANGE),
        "export_request": (READ, CHANGE),
        "request_key": (READ, ADD, REMOVE),
        "rate_count": (READ, REMOVE),
        "incident": (READ, CHANGE),
        "incident_event": (READ, ADD),
        "held_move": (READ, CHANGE, REMOVE),
        "sample_draw": (READ, ADD),
        "sample_case": (READ, ADD),
        "clock_reminder": (READ, ADD, CHANGE),
        "incident_task": (READ, ADD, CHANGE, REMOVE),
        "incident_clock": (READ, ADD, CHANGE, REMOVE),
        "blob": (READ, ADD, CHANGE, REMOVE),
        "attachment": (READ, ADD, REMOVE),
        "dispute": (READ,),
        "dispute_photo": (READ,),
        "dispute_party": (READ, REMOVE),
        "hazard": (READ, CHANGE),
        "hazard_event": (READ, ADD),
        "hazard_photo": (READ,),
        "visit_photo": (READ,),
        "desk_claim": (READ, REMOVE),
        "desk_draft": (READ, REMOVE),
        "feed": (READ, ADD),
        "feed_state": (READ, ADD, CHANGE),
        "key_run": (READ, CHANGE),
        "key_use": (READ, ADD, REMOVE),
        "alarm": (READ, ADD, CHANGE),
        "signal_count": (READ, ADD, CHANGE, REMOVE),
        "signal_state": (READ, ADD, CHANGE),
        "responsibility_set": (READ,),
        "responsibility_rule": (READ,),
        "responsibility_trial": (READ, CHANGE),
        "moratorium": (READ,),
        "arbitration": (READ, ADD, CHANGE),
        "arbitration_statement": (READ,),
        "precedent": (READ,),
        "address_question": (READ, ADD, REMOVE),
        "address_alias": (READ,),
    },
    "wangge_tiles": {
        **dict.fromkeys(MAP_TABLES, (READ,)),
        "incident": (READ,),
        "incident_task": (READ,),
        "hazard": (READ,),
        "feed_state": (READ,),
    },
    "wangge_auditor": {
        "audit_event": (READ,),
        "audit_link": (READ,),
        "audit_state": (READ,),
        "audit_head": (READ,),
        "audit_check": (READ,),
        "feed": (READ,),
        "feed_state": (READ,),
        "incident_event": (READ,),
    },
}


def apply_privileges(connection: Connection) -> None:
    """Take everything from the roles, then grant what the list says."""
    for role in ROLES:
        _grant(connection, "REVOKE ALL ON ALL TABLES IN SCHEMA public FROM {role}", role=role)
        _grant(connection, "GRANT USAGE ON SCHEMA public TO {role}", role=role)
        _grant(connection, "GRANT SELECT ON spatial_ref_sys TO {role}", role=role)
    for role, tables in PRIVILEGES.items():
        for table, rights in tables.items():
            for right in rights:
                _grant(
                    connection, f"GRANT {right} ON {{table}} TO {{role}}", role=role, table=table
                )
    _grant(
        connection, "GRANT SELECT ON ALL TABLES IN SCHEMA public TO {role}", role="wangge_backup"
    )
    for role in ("wangge_app", "wangge_worker"):
        _grant(connection, "GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {role}", role=role)
    _grant_queue(connection)


def _grant_queue(connection: Connection) -> None:
    """Both web and worker defer jobs; only the worker changes and removes them."""
    tables = connection.scalars(
        text("SELECT tablename FROM pg_tables WHERE tablename LIKE 'procrastinate_%'")
    ).all()
    for table in tables:
        _grant(
            connection, "GRANT SELECT, INSERT ON {table} TO {role}", role="wangge_app", table=table
        )
        _grant(
            connection,
            "GRANT SELECT, INSERT, UPDATE, DELETE ON {table} TO {role}",
            role="wangge_worker",
            table=table,
        )


def _grant(connection: Connection, statement: str, **names: str) -> None:
    """Run a statement whose names come from the lists above, quoted by the dialect."""
    quote = connection.dialect.identifier_preparer.quote
    connection.exec_driver_sql(
        statement.format(**{key: quote(name) for key, name in names.items()})
    )
