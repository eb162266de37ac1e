"""What the outbox needs of the rooms above it: how to call out, and how to word a message."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from grids.secrets import Vault


@dataclass(frozen=True)
class Reply:
    """What a receiver answered."""

    status: int
    body: bytes = b""


@dataclass(frozen=True)
class Mail:
    """One e-mail; `id` is part of its Message-ID, the same at every try."""

    id: UUID
    to: str
    subject: str
    text: str
    in_reply_to: str = ""
    is_automatic: bool = False


#: door id, path, body, headers -> answer; raises for everything that is no answer
Post = Callable[[str, str, bytes, Mapping[str, str]], Reply]
#: kind of message and its facts -> the words for a reporter
Words = Callable[[str, Mapping[str, Any]], str]
#: Hands an e-mail to the mail server; raises for everything that is no acceptance.
Send = Callable[[Mail], None]


@dataclass(frozen=True)
class Outside:
    """The ways out of one installation."""

    vault: Vault
    post: Post
    words: Words
    sms_door: str = ""  #: id in WANGGE_OUTGOING of the text-message gateway; empty: none
    hotline: str = "96150"
    mail: Send | None = None  #: None: no mail server is connected
