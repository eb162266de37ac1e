"""Tables of batches on their way into the registers; see `tables`."""

from __future__ import annotations

from typing import Final

from grids.inventory.groups import Listed

IMPORTS: Final = (
    Listed(
        "import_batch",
        "imports",
        "id source_id account_id area_code areas file_sha256 file_name file_size settings look state refusal attempts grids_seen rows_total rows_new rows_changed rows_same rows_rejected rows_held rows_stated rows_done rows_undone rows_kept created_at checked_at committed_at committed_by undone_at undone_by cleared_at",
    ),
    Listed(
        "import_connection",
        "imports",
        "id server user_name password_sealed area_code created_at created_by used_at",
    ),
    Listed("import_key", "imports", "source_id own_id target entry_id batch_id"),
    Listed(
        "import_mend",
        "imports",
        "id batch_id number heading was became mended_by mended_at",
    ),
    Listed(
        "import_row",
        "imports",
        "batch_id number own_id code data raw errors geom cell_id grid_id area_code coord_source verdict state entry_id before match",
    ),
    Listed(
        "import_source",
        "imports",
        "id code name target department_code area_code settings created_at created_by",
    ),
)
