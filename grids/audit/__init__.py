"""The audit log: who saw or changed what, append only, sealed in a chain.

`record` writes, `entries` and `chain_state` read, `seal` chains, `verify` proves. Jobs are in
`grids.audit.jobs`.
"""

from grids.audit.catalogue import ACTIONS, Action
from grids.audit.chain import LINK_ROWS
from grids.audit.events import AuditStopped, UnknownAction, record, require_sealing
from grids.audit.heads import Head, HeadFile, export_head, is_genuine, parsed, read_heads
from grids.audit.models import AuditCheck, AuditEvent, AuditHead, AuditLink, AuditState
from grids.audit.reading import (
    BadPlace,
    ChainState,
    Entries,
    Entry,
    Filters,
    chain_state,
    checks,
    entries,
    heads,
)
from grids.audit.retiring import KEEP_DAYS, Retired, TooYoung, retire
from grids.audit.sealing import ClockWentBack, algorithm_of, beat, seal, seal_all
from grids.audit.verifying import Finding, Verified, feed_fits, verify, walk
from grids.audit.words import harmless, one_line

__all__ = [
    "ACTIONS",
    "KEEP_DAYS",
    "LINK_ROWS",
    "Action",
    "AuditCheck",
    "AuditEvent",
    "AuditHead",
    "AuditLink",
    "AuditState",
    "AuditStopped",
    "BadPlace",
    "ChainState",
    "ClockWentBack",
    "Entries",
    "Entry",
    "Filters",
    "Finding",
    "Head",
    "HeadFile",
    "Retired",
    "TooYoung",
    "UnknownAction",
    "Verified",
    "algorithm_of",
    "beat",
    "chain_state",
    "checks",
    "entries",
    "export_head",
    "feed_fits",
    "harmless",
    "heads",
    "is_genuine",
    "one_line",
    "parsed",
    "read_heads",
    "record",
    "require_sealing",
    "retire",
    "seal",
    "seal_all",
    "verify",
    "walk",
]
