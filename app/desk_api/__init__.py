"""The API of the dispatch desk: queue and counts, claims, duplicates, suggestions, steps for many
cases and their undo, kept filters, drafts, one search box. See docs/desk.md.
"""

from __future__ import annotations

from app.desk_api import bulk, cases, claims, kept, queue, search
from app.desk_api.asking import bp

__all__ = ["bp", "bulk", "cases", "claims", "kept", "queue", "search"]
