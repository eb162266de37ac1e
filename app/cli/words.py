"""The message of an error in the language of the person at the keyboard."""

import os
from collections.abc import Mapping
from typing import Any

from babel.support import Translations

from app.config import ROOT

FOLDER = ROOT / "app/translations"


def language(environ: Mapping[str, str]) -> str:
    """Choose zh or en: `WANGGE_LANG`, else the locale of the terminal, else English."""
    wanted = next(
        (
            value
            for name in ("WANGGE_LANG", "LC_ALL", "LC_MESSAGES", "LANG")
            if (value := environ.get(name))
        ),
        "",
    )
    return "zh" if wanted.lower().startswith("zh") else "en"


def text_of(key: str, params: Mapping[str, Any], environ: Mapping[str, str] = os.environ) -> str:
    """Write a text of the catalogues in the person's language; "" where there is none."""
    for area in sorted(FOLDER.iterdir()):
        text = Translations.load(str(area), [language(environ)]).gettext(key)
        if text != key:
            try:
                return str(text % params)
            except (KeyError, TypeError, ValueError):
                return str(text)
    return ""


def message_of(error: Exception, environ: Mapping[str, str] = os.environ) -> str:
    """Write an error of the platform; one without a code or a text keeps its own words."""
    code: Any = getattr(error, "code", None)
    params: Any = getattr(error, "params", {})
    key = f"error.{code}"
    for area in sorted(FOLDER.iterdir()):
        text = Translations.load(str(area), [language(environ)]).gettext(key)
        if text != key:
            try:
                return str(text % params)
            except (KeyError, TypeError, ValueError):
                break
    return str(error)


def in_both(key: str) -> str:
    """Write a text in Chinese and English, for what people of both read."""
    found = []
    for name in ("zh", "en"):
        for area in sorted(FOLDER.iterdir()):
            text = Translations.load(str(area), [name]).gettext(key)
            if text != key:
                found.append(str(text))
                break
    return " / ".join(found)
