"""Root of the domain's errors. Each kind has a stable `code`; `docs/errors.md` lists them."""

from __future__ import annotations

from typing import Any, ClassVar


class GridsError(Exception):
    """Something the rules of the domain do not allow; nothing was changed.

    `params` fill the translated text `error.<code>`; the English message is for logs.
    """

    code: ClassVar[str] = "grids"

    def __init__(self, message: str, **params: Any) -> None:
        super().__init__(message)
        self.params = params


class NotFound(GridsError):
    """There is no such thing, or it is outside what the caller may see."""

    code = "not_found"


class Invalid(GridsError):
    """A value that was sent is missing or wrong; `field` names it."""

    code = "invalid"


class NotAllowed(GridsError):
    """The caller's role or area does not permit this."""

    code = "not_allowed"


class Conflict(GridsError):
    """The same id was used for something else, or the row has changed meanwhile."""

    code = "conflict"


class Gone(GridsError):
    """What the id names was withdrawn."""

    code = "gone"
