"""What the outbox needs of the rooms above it: how to call out, and how to word a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from grids.secrets import Vault


@dataclass(frozen=True)
class Reply:
    """What a receiver answered."""

    status: int
    body: bytes = b""


#: door id, path, body, headers -> answer; raises for everything that is no answer
Post = Callable[[str, str, bytes, Mapping[str, str]], Reply]
#: kind of message and its facts -> the words for a reporter
Words = Callable[[str, Mapping[str, Any]], str]


@dataclass(frozen=True)
class Outside:
    """The ways out of one installation."""

    vault: Vault
    post: Post
    words: Words
    sms_door: str = ""  #: id in WANGGE_OUTGOING of the text-message gateway; empty: none
    hotline: str = "96150"
