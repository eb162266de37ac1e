"""Guessing of tracking codes: a source that tries many wrong ones waits for the next hour.

A code holds 128 bits, so nobody guesses one; who tries is stopped all the same, and seen. Wrong
codes, codes of another shape and codes of reports that are gone get one answer, and above the
limit a right code gets the same refusal as a wrong one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

import structlog
from flask import Flask, Response, current_app, g, request
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from grids import limits
from grids.limits import TooMany

log = structlog.get_logger("wangge.wrong_codes")

#: Addresses that take a code.
ASKED: Final = frozenset({"portal.track", "portal.get_report", "portal.photo"})
#: Wrong codes of one source in an hour. A carrier hides many people behind one address, but few
#: of them type a code of 26 letters, and those who were given a link type nothing.
MOST_WRONG: Final = 60


def init_app(app: Flask) -> None:
    """Count wrong codes, and refuse a source that has tried too many."""

    @app.before_request
    def refuse_guessers() -> None:
        if request.endpoint not in ASKED:
            return
        with g.session.begin():
            tried = limits.uses(g.session, _bucket(), now=datetime.now(UTC))
        if tried >= MOST_WRONG:
            raise TooMany(f"more than {MOST_WRONG} in an hour", most=MOST_WRONG)

    @app.after_request
    def count_wrong(answer: Response) -> Response:
        if request.endpoint in ASKED and answer.status_code == 404:
            _count()
        return answer


def _count() -> None:
    """Note a wrong code in a transaction of its own: that of the request may have failed."""
    make = current_app.extensions.get("make_session")
    try:
        with (
            make() if make else Session(current_app.extensions["engine"]) as session,
            session.begin(),
        ):
            now = datetime.now(UTC)
            limits.count_use(session, _bucket(), most=MOST_WRONG, now=now)
    except TooMany:
        log.warning("codes_guessed", most=MOST_WRONG)
    except SQLAlchemyError as error:
        log.warning("wrong_code_not_counted", kind=type(error).__name__)


def _bucket() -> str:
    return f"wrong-code:{limits.source_of(request.remote_addr or '')}"
