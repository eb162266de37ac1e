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
        Action("account_created", "change"),
        Action("account_disabled", "change"),
        Action("account_enabled", "change"),
        Action("account_locked", "sign_in"),
        Action("account_unlocked", "change"),
        Action("account_password_reset", "change"),
        Action("account_second_factor_reset", "change"),
        Action("identity_linked", "change"),
        Action("identity_unlinked", "change"),
        Action("role_granted", "grant"),
        Action("role_revoked", "grant"),
        Action("identity_confirmed", "sign_in"),
        Action("password_changed", "change"),
        Action("second_factor_enrolled", "change"),
        Action("second_factor_removed", "change"),
        Action("recovery_codes_renewed", "change"),
        Action("recovery_code_used", "sign_in"),
        Action("session_ended", "change"),
        Action("token_created", "change"),
        Action("token_revoked", "change"),
        Action("token_refused", "sign_in"),
        Action("person_found", "read"),
        Action("person_revealed", "read"),
        Action("person_refused", "denied"),
        Action("reporter_revealed", "read"),
        Action("caller_history", "read"),
        Action("link_made", "change"),
        Action("link_revoked", "change"),
        Action("link_opened", "read"),
        Action("link_answered", "change"),
        Action("dispute_parties_revealed", "read"),
        Action("dispute_papers_read", "read"),
        Action("register_corrected", "change"),
        Action("subject_request_registered", "change"),
        Action("subject_request_done", "change"),
        Action("subject_request_refused", "change"),
        Action("subject_copy_fetched", "read"),
        Action("export", "export"),
        Action("export_requested", "export"),
        Action("export_approved", "grant"),
        Action("export_refused", "grant"),
        Action("export_traced", "read"),
        Action("key_population_loaded", "change"),
        Action("key_population_refused", "denied"),
        Action("rules_drafted", "change"),
        Action("rules_changed", "change"),
        Action("rules_imported", "change"),
        Action("rules_exported", "export"),
        Action("rules_dropped", "change"),
        Action("rules_tried", "change"),
        Action("rules_live", "grant"),
        Action("rules_rolled_back", "grant"),
        Action("moratorium_set", "change"),
        Action("moratorium_ended", "change"),
        Action("arbitration_opened", "change"),
        Action("arbitration_named", "change"),
        Action("arbitration_stated", "change"),
        Action("arbitration_decided", "change"),
        Action("arbitration_defaulted", "system"),
        Action("arbitration_confirmed", "change"),
        Action("arbitration_dropped", "change"),
        Action("precedent_ended", "change"),
        Action("precedent_to_rule", "change"),
        Action("calendar_changed", "change"),
        Action("code_version_added", "change"),
        Action("code_version_withdrawn", "change"),
        Action("code_version_ended", "change"),
        Action("codes_loaded", "change"),
        Action("audit_head_exported", "system"),
        Action("audit_verified", "system"),
        Action("audit_retired", "system"),
        Action("alarm_acknowledged", "change"),
        Action("alarm_closed", "change"),
        Action("duty_alarm_closed", "change"),
        Action("outbox_retried", "change"),
        Action("outbox_given_up", "change"),
        Action("receiver_paused", "change"),
        Action("receiver_resumed", "change"),
        Action("system_registered", "grant"),
        Action("transfer_acknowledged", "change"),
        Action("transfer_refused", "change"),
        Action("letter_registered", "change"),
        Action("letter_answered", "change"),
        Action("letter_put_aside", "change"),
        Action("letter_confided", "change"),
        Action("letter_opened_up", "grant"),
        Action("letter_sender_revealed", "read"),
        Action("keys_rotated", "change"),
        Action("key_retired", "change"),
        Action("access_denied", "denied"),
        Action("field_refused", "denied"),
        Action("audit_read", "read"),
        Action("audit_exported", "export"),
    )
}
