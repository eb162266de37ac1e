"""The ways out that the outbox uses: the listed doors, and the words of text messages."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

from babel.support import Translations
from sqlalchemy import Engine

from app import letter_box, outgoing
from app.config import Settings
from app.i18n import FOLDER
from app.keys import vault_of
from grids.outbox.courier import Courier
from grids.outbox.outside import Outside, Reply

MOST_BYTES = 64 * 1024


def courier_of(settings: Settings) -> Callable[[Engine, threading.Event], None]:
    """Return what the worker runs beside its jobs."""

    def run(engine: Engine, stop: threading.Event) -> None:
        if settings.mail_box:
            letters = threading.Thread(
                target=letter_box.watch, args=(settings, engine, stop), name="letters", daemon=True
            )
            letters.start()
        Courier(engine, outside_of(settings), stop=stop).run()

    return run


def outside_of(settings: Settings) -> Outside:
    """Return the ways out of this installation: nothing that is not listed is called."""
    doors = outgoing.doors_from(settings.outgoing)

    def post(door: str, path: str, body: bytes, headers: Mapping[str, str]) -> Reply:
        answer = outgoing.call(
            doors.get(door),
            path,
            method="POST",
            body=body,
            headers=headers,
            most_bytes=MOST_BYTES,
        )
        return Reply(answer.status, answer.body)

    return Outside(
        vault=vault_of(settings),
        post=post,
        words=words,
        sms_door=settings.sms_door,
        hotline=settings.hotline,
        mail=letter_box.sender_of(settings),
    )


def words(kind: str, facts: Mapping[str, Any]) -> str:
    """Word a message to a reporter; Chinese, as text messages and letters of the city are."""
    texts = Translations.load(str(FOLDER / "channels"), ["zh"])
    reason = facts.get("reason")
    domain = Translations.load(str(FOLDER / "domain"), ["zh"])
    known = domain.gettext("reason." + str(reason)) if reason else ""
    return str(
        texts.gettext("channels.tell_" + kind)
        % {
            "number": facts.get("public_number", ""),
            "category": facts.get("category_zh", ""),
            "reason": known if not known.startswith("reason.") else "",
        }
    )
