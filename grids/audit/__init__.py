"""The audit log: who saw or changed what, append only."""

from grids.audit.catalogue import ACTIONS, Action
from grids.audit.events import AuditEvent, UnknownAction, record

__all__ = ["ACTIONS", "Action", "AuditEvent", "UnknownAction", "record"]
