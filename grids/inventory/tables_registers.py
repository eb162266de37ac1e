"""The tables of what the city consists of: the map, registers, visits, residents, counts."""

from __future__ import annotations

from typing import Final

from grids.inventory.groups import Listed

REGISTERS: Final = (
    Listed(
        "address",
        "map",
        "id source_id text street number estate building unit floor room code plate_state plate_type parent_id quality geom_3857 geom cell_id area_code coord_source accuracy_m source valid_from valid_to grid_id",
    ),
    Listed("address_alias", "addresses", "digest address_id learned_at learned_by"),
    Listed("address_name", "map", "id level old new address_id changed_on"),
    Listed(
        "address_question",
        "addresses",
        "id text normal source area_code candidates state asked_at answered_at answered_by answer_id",
    ),
    Listed("area", "map", "code parent_code level kind name_zh name_en valid_from valid_to geom"),
    Listed(
        "building",
        "map",
        "id source_id name kind levels height_m built_year dwellings area_m2 address_id geom geom_3857 cell_id area_code coord_source accuracy_m source valid_from valid_to grid_id",
    ),
    Listed("cell", "map", "cell_id area_code grid_id is_whole geom"),
    Listed(
        "city",
        "map",
        "id name_zh name_en county_code metric_srid city_zone west south east north attribution",
    ),
    Listed(
        "component",
        "map",
        "id identifier source_id code_system code name state department_code geom geom_3857 cell_id area_code coord_source accuracy_m source valid_from valid_to grid_id",
    ),
    Listed("dwelling", "registers", "id building_id unit floor room use area_m2"),
    Listed(
        "enterprise",
        "registers",
        "id uscc name kind industry status staff registered_on contact_sealed address_id merged_into geom_3857 geom cell_id area_code coord_source accuracy_m source valid_from valid_to grid_id",
    ),
    Listed("erasure_certificate", "people", "id made_at rule body signature"),
    Listed(
        "facility",
        "map",
        "id source_id kind name geom_3857 geom cell_id area_code coord_source accuracy_m source valid_from valid_to grid_id",
    ),
    Listed(
        "code_conversion",
        "registers",
        "id registrar old_number name uscc converted_on enterprise_id area_code problem",
    ),
    Listed(
        "pipe",
        "pipes",
        "id identifier kind rank depth_m diameter_mm owner_code road laid_year geom_3857 geom cell_id area_code coord_source accuracy_m source valid_from valid_to grid_id",
    ),
    Listed(
        "site",
        "map",
        "id org_code name kind hours phone address_id geom_3857 geom cell_id area_code coord_source accuracy_m source valid_from valid_to grid_id",
    ),
    Listed("grid", "map", "id code name kind"),
    Listed("grid_version", "map", "id grid_id valid households area_m2 geom plan_id"),
    Listed("household", "people", "id dwelling_id kind cell_id grid_id area_code ended_on"),
    Listed("work_line", "forms", "code name_zh name_en department_code sort"),
    Listed(
        "form_question",
        "forms",
        "key no subject type zh en hint_zh hint_en example unit options checks valid_days level register",
    ),
    Listed(
        "form_version",
        "forms",
        "id form no line name_zh name_en subject kinds visit_days items status made_by made_at live_from approved_by approved_at cost note",
    ),
    Listed("ledger", "forms", "code line name_zh name_en subject kinds period_days columns sort"),
    Listed(
        "visit",
        "visits",
        "id subject subject_id area_code worker_id done_at received_at forms versions seconds taps asked reused apart photos",
    ),
    Listed("visit_photo", "visits", "id visit_id question sha256"),
    Listed(
        "observation",
        "visits",
        "recorded_at id visit_id subject subject_id area_code question question_no version_id level value observed_at worker_id source seconds photo replaced",
    ),
    Listed("landuse", "map", "id source_id kind name area_m2 geom geom_3857"),
    Listed("layer_count", "counts", "layer level cell_id area_code class n x y geom"),
    Listed("layer_stat", "counts", "layer rows counted_at breaks"),
    Listed("people_count", "counts", "area_code measure published_at value"),
    Listed("people_draw", "counts", "subject leaf drawn_on lasts kinds told"),
    Listed("people_group_count", "counts", "age residency household area_code published_at value"),
    Listed(
        "person",
        "people",
        "id household_id name_sealed name_index id_number_sealed id_number_index phone_sealed phone_index birth_sealed age_band relation residency cell_id grid_id area_code moved_in_on moved_out_on anonymised_at",
    ),
    Listed(
        "person_event",
        "people",
        "id person_id kind occurred_on recorded_at recorded_by source from_household_id from_since from_until from_relation to_household_id to_relation withdrawn_at withdrawn_by",
    ),
    Listed("person_access", "people", "id at person_id account_id act field purpose case_number"),
    Listed("place", "map", "id source_id kind name name_en rank population geom"),
    Listed("population_batch", "counts", "id account_id uploaded_at rows"),
    Listed("population_category", "counts", "code name_zh name_en sort source"),
    Listed("population_count", "counts", "batch_id category period area_code count"),
    Listed("population_told", "counts", "category period area_code value published_at"),
    Listed(
        "premises",
        "registers",
        "id source_id enterprise_id building_id kind name floor_area_m2 geom_3857 geom cell_id area_code coord_source accuracy_m source valid_from valid_to grid_id",
    ),
    Listed("quality_result", "quality", "day area_code rule source checked failed"),
    Listed(
        "quality_alarm",
        "quality",
        "id rule area_code source why opened_at checked failed before noted_at noted_by note closed_at",
    ),
    Listed(
        "duplicate_pair",
        "registers",
        "id register one other score evidence reason distance_m digest source found_at state decided_at decided_by why merge_id",
    ),
    Listed(
        "entry_merge",
        "registers",
        "id register survivor given_up merged_at merged_by why before after moved said undone_at undone_by kept",
    ),
    Listed("base_number", "quality", "month area_code register n"),
    Listed(
        "macro_figure",
        "registers",
        "id indicator area_code period value source recorded_at recorded_by",
    ),
    Listed("base_signature", "quality", "id area_code signed_at signed_by figures digest note"),
    Listed(
        "fact",
        "registers",
        "register entry_id field source value how observed_at confidence batch_id said_by evidence",
    ),
    Listed(
        "fact_check",
        "registers",
        "id register entry_id field candidates weight why state area_code grid_id asked_at asked_by answer value answered_at answered_by",
    ),
    Listed(
        "correction",
        "registers",
        "id file_id source_id register entry_id area_code field own_id said holds because evidence known_at state reason closed_at",
    ),
    Listed(
        "correction_file",
        "registers",
        "id source_id area_code made_at made_by reason note lines received_at received_from received_by",
    ),
    Listed("register_change", "registers", "id register entry_id changed_at changed_by reason old"),
    Listed(
        "road",
        "map",
        "id source_id kind rank name is_oneway is_bridge is_tunnel speed_kmh length_m geom geom_3857",
    ),
    Listed(
        "subject_request",
        "people",
        "id person_id area_code kind channel identity_checked status received_at due_at received_by handled_by handled_at reason result copy_until",
    ),
    Listed("water", "map", "id source_id kind name area_m2 geom geom_3857"),
)
