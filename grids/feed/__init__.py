"""The feed: committed events in one gapless order, each carrying the hash of the one before."""

from __future__ import annotations

from grids.feed.models import FeedEntry, FeedState
from grids.feed.promise import write_no_event
from grids.feed.reading import CHANNEL, Entry, newest, since
from grids.feed.running import Notary, run_sealer
from grids.feed.sealing import BATCH, seal, seal_all
from grids.feed.verifying import BrokenLink, verify_chain

__all__ = [
    "BATCH",
    "CHANNEL",
    "BrokenLink",
    "Entry",
    "FeedEntry",
    "FeedState",
    "Notary",
    "newest",
    "run_sealer",
    "seal",
    "seal_all",
    "since",
    "verify_chain",
    "write_no_event",
]
