"""Every table with every column: a new one is refused by a test until somebody has judged it.

A column that speaks of a person stands in `personal.py` too. For the others the group of the
table says who may see them and how long they are kept.
"""

from __future__ import annotations

from typing import Final

from grids.inventory.groups import Listed
from grids.inventory.tables_imports import IMPORTS
from grids.inventory.tables_registers import REGISTERS

TABLES: Final = (
    *REGISTERS,
    Listed(
        "account",
        "staff",
        "id login name password_hash is_active failed_count locked_until created_at password_at must_change signed_in_at disabled_at",
    ),
    Listed(
        "alarm",
        "audit",
        "id rule subject account_id status opened_at first_at last_at count detail acknowledged_at acknowledged_by closed_at closed_by note",
    ),
    Listed(
        "api_token",
        "staff",
        "id account_id name token_hash scopes created_at expires_at used_at used_from revoked_at",
    ),
    Listed(
        "arbitration",
        "cases",
        "id incident_id area_code category_id cause returns parties interim_code opened_at opened_by statements_due_at due_at arbiter_id state department_code assisting rule_id why decided_at decided_by escalated_at confirmed_at",
    ),
    Listed(
        "arbitration_statement",
        "cases",
        "arbitration_id department_code text basis made_by made_at",
    ),
    Listed(
        "channel_case",
        "cases",
        "id system direction incident_id sender_id state received_at ack_due_at ack_at note body_hash ack_by",
    ),
    Listed("channel_category", "codes", "system sender_code kind category"),
    *IMPORTS,
    Listed(
        "letter",
        "letters",
        "id box seen_hash area_code sender_sealed sender_index subject_sealed text_sealed message_id_sealed problem left_out is_confidential state reason written_at received_at incident_id done_by done_at",
    ),
    Listed("letter_answer", "letters", "id letter_id text_sealed written_by written_at"),
    Listed("letter_box", "system", "code uid_validity last_uid looked_at failures last_error"),
    Listed("letter_photo", "letters", "id letter_id sha256"),
    Listed("reconciliation", "system", "id made_at took_s is_clean checks"),
    Listed(
        "channel_system",
        "codes",
        "code name_zh name_en kind channel account_id receiver category ack_s is_active",
    ),
    Listed(
        "duty_alarm",
        "cases",
        "id kind subject area_code incident_id count detail opened_at last_at closed_at closed_by note",
    ),
    Listed(
        "outbox_message",
        "cases",
        "id key receiver incident_id seq kind contact body state reason tries created_at next_at ended_at last_error receipt",
    ),
    Listed(
        "outbox_receiver",
        "system",
        "code kind name_zh name_en door path secret_sealed is_active most_tries failures failing_since paused_until sent_at last_error",
    ),
    Listed(
        "assignment",
        "staff",
        "id account_id role area_code department_code purpose valid_from valid_to granted_by granted_at revoked_by revoked_at",
    ),
    Listed("attachment", "cases", "id incident_id event_seq sha256 part"),
    Listed(
        "audit_check",
        "audit",
        "id asked_at asked_by ended_at events links heads problem row_id row_at position",
    ),
    Listed("audit_event", "audit", "at id actor_id action subject is_success source_ip detail xid"),
    Listed("audit_head", "audit", "id made_at kind no events body"),
    Listed("audit_link", "audit", "no sealed_at events form entries hash"),
    Listed("audit_state", "audit", "id no events xid event_id hash seen_at limit_s"),
    Listed(
        "blob",
        "cases",
        "sha256 size media_type width height public_sha256 thumb_sha256 taken_at taken_geom account_id created_at",
    ),
    Listed(
        "category",
        "codes",
        "id code_system kind code parent name_zh name_en search sort is_common valid_from valid_to source origin",
    ),
    Listed("calendar_change", "codes", "id version_no what key before after"),
    Listed(
        "calendar_draft", "codes", "id account_id made_at base_no reason edit outlook version_no"
    ),
    Listed(
        "calendar_version", "codes", "no changed_at account_id reason origin moved recomputed_at"
    ),
    Listed(
        "category_limit",
        "codes",
        "id category_id urgency area_kind value unit department_code source valid_from valid_to origin",
    ),
    Listed(
        "category_rule",
        "codes",
        "id category_id part name text_zh text_en options is_required value unit sort source valid_from valid_to origin",
    ),
    Listed("clock_reminder", "cases", "clock_id share due_at reached_at told_at"),
    Listed("code_change", "codes", "id load_id table_name key what detail"),
    Listed("code_load", "codes", "id loaded_at loaded_on origin digest"),
    Listed("code_upload", "codes", "id account_id made_at origin files digest load_id"),
    Listed(
        "code_map",
        "codes",
        "kind from_system from_code to_system to_code relation source valid_from valid_to origin",
    ),
    Listed(
        "code_system",
        "codes",
        "code name_zh name_en digits identifier_digits needs_table valid_from valid_to source",
    ),
    Listed("department", "codes", "code name_zh name_en sort"),
    Listed(
        "desk_claim", "desk", "incident_id account_id since_at ends_at area_code department_code"
    ),
    Listed("desk_draft", "drafts", "account_id incident_id action fields updated_at"),
    Listed(
        "dispute",
        "disputes",
        "area_code kind severity channel level people text party_count meeting_count extension_count reopen_count way contacted_at agreed_at id number status opened_at stage_at due_at ended_at limits flags event_count registrar_id holder_id department_code",
    ),
    Listed(
        "dispute_event",
        "disputes",
        "dispute_id seq id recorded_at action from_status to_status role reason note photos data actor_id",
    ),
    Listed(
        "dispute_paper",
        "disputes",
        "id event_seq kind held_at place present_sealed body_sealed dispute_id",
    ),
    Listed(
        "dispute_party",
        "disputes",
        "id no side is_organisation name_sealed phone_sealed phone_index created_at dispute_id",
    ),
    Listed(
        "dispute_photo",
        "disputes",
        "dispute_id id event_seq part public_sha256 thumb_sha256 sha256",
    ),
    Listed(
        "dispute_term", "disputes", "id event_seq no due_on text_sealed performed_on dispute_id"
    ),
    Listed(
        "export_request",
        "exports",
        "id account_id layer format level choice areas reason note state rows asked_at decided_by decided_at decision_note ready_at expires_at file_size file_sha256 taken_count mark_key",
    ),
    Listed("feed", "system", "sealed_at no incident_id seq area_code department_code payload hash"),
    Listed("feed_state", "system", "id no xid hash"),
    Listed(
        "grid_plan",
        "plans",
        "id town_code name state wishes base_on base added fabric labels figures edit_no made_by made_at editors edited_at asked_by asked_at approved_by approved_at starts_on switched_at outcome",
    ),
    Listed("grid_plan_edit", "plans", "plan_id no action labels added edited_by edited_at"),
    Listed(
        "hand_over",
        "cases",
        "id incident_id seq party task photos token_hash created_by created_at expires_at revoked_at revoked_by opened_count opened_at answered_at",
    ),
    Listed(
        "hazard",
        "hazards",
        "origin premises_id inspection_id checklist item competent_code severity text place term measures notice_no document ordered_at rework_count escalation_count id number status opened_at stage_at due_at ended_at limits flags event_count registrar_id holder_id department_code geom cell_id area_code coord_source accuracy_m source valid_from valid_to grid_id",
    ),
    Listed(
        "hazard_event",
        "hazards",
        "hazard_id seq id recorded_at action from_status to_status role reason note photos data actor_id",
    ),
    Listed(
        "hazard_photo", "hazards", "hazard_id id event_seq part public_sha256 thumb_sha256 sha256"
    ),
    Listed(
        "incident",
        "cases",
        "id number track_hash category_id category_code component_id grid_version_id text address channel urgency status department_code holder_id handler_id reporter_id reported_at received_at stage_at due_at filed_at dispatched_at handled_at closed_at handling_due_at rework_count return_count event_count flags level report_count extension_count suspension_count reopen_count first_due_at main_id involved geom cell_id area_code coord_source accuracy_m source valid_from valid_to grid_id",
    ),
    Listed(
        "incident_clock",
        "cases",
        "id incident_id stage started_at due_at ended_at paused department_code limit_value limit_unit",
    ),
    Listed(
        "incident_event",
        "cases",
        "recorded_at incident_id seq id xid action from_status to_status actor_id role department_code area_code device_at device reason note geom photos data",
    ),
    Listed(
        "held_move",
        "cases",
        "id incident_id follows account_id action sent photos digest held_at until state settled_at code",
    ),
    Listed("sample_draw", "cases", "on head seed population size drawn_at"),
    Listed("sample_case", "cases", "on number incident_id way is_drawn skipped"),
    Listed("incident_link", "cases", "incident_id other_id kind created_at"),
    Listed(
        "incident_reporter",
        "cases",
        "id incident_id name_sealed phone_sealed phone_index created_at",
    ),
    Listed(
        "incident_task",
        "cases",
        "id incident_id department_code part dispatched_at signed_at replied_at returned_at number due_at ended_at",
    ),
    Listed(
        "inspection",
        "hazards",
        "id premises_id premises_kind area_code checklist inspector_id done_at score level failed major_failed",
    ),
    Listed("inspection_answer", "hazards", "inspection_id item answer weight is_major"),
    Listed(
        "key_run",
        "audit",
        "id act kind key_id asked_by asked_at seen_at rows_before rows_done ended_at problem broken",
    ),
    Listed("key_use", "audit", "table_name column_name provider key_id kind rows counted_at"),
    Listed("linked_identity", "staff", "issuer subject account_id linked_at linked_by"),
    Listed(
        "moratorium",
        "rules",
        "id kind category area valid reason public_note approved_by document set_by set_at ended_by ended_at end_note",
    ),
    Listed("number_day", "cases", "day first"),
    Listed("past_password", "staff", "id account_id password_hash ended_at"),
    Listed(
        "precedent",
        "rules",
        "id arbitration_id kind category area_code area_kind owner facts department_code assisting refused why decided_by decided_at ended_at rule_set_id",
    ),
    Listed(
        "provider_try",
        "staff",
        "state_hash browser_hash nonce verifier target session_hash started_at",
    ),
    Listed("rate_count", "system", "bucket hour count"),
    Listed("recovery_code", "staff", "account_id code_hash created_at used_at"),
    Listed("request_key", "system", "id kind body_hash status answer created_at"),
    Listed(
        "responsibility_rule",
        "rules",
        "id rule_set_id kind category area owner band days department_code assisting why basis rank changed_by changed_at",
    ),
    Listed(
        "responsibility_set",
        "rules",
        "id uid name note status revision based_on is_rollback valid created_by created_at live_by live_note",
    ),
    Listed(
        "responsibility_trial",
        "rules",
        "id rule_set_id revision against_id since until state done_share cases result asked_by asked_at ended_at",
    ),
    Listed("saved_filter", "desk", "id account_id name query role area_code updated_at"),
    Listed(
        "second_factor",
        "staff",
        "account_id secret_sealed digest created_at confirmed_at last_step",
    ),
    Listed("shift", "staff", "id account_id starts_at ends_at"),
    Listed("sign_in_failure", "staff", "id source login_hash at"),
    Listed(
        "sign_in_session",
        "staff",
        "token_hash id account_id csrf_token created_at seen_at ends_at agent source method is_whole confirmed_at",
    ),
    Listed("signal_count", "audit", "hour kind subject count"),
    Listed("signal_state", "audit", "id looked_at"),
    Listed("source_version", "system", "name no changed_at"),
    Listed(
        "stage_limit",
        "codes",
        "stage code_system kind code urgency area_kind valid_from value unit valid_to source origin",
    ),
    Listed("work_span", "codes", "kind opens valid_from closes valid_to source origin"),
    Listed("workday", "codes", "day is_workday name name_en source origin"),
)
