"""What is said of an import: rules, causes, systems of coordinates, what was noticed."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from app.faces import instant_words
from app.i18n import translated
from grids.city import City
from grids.importing.batches.settings import Settings


def rule(fault: Mapping[str, Any]) -> str:
    """Say what a fault is, with what fills its text."""
    params = {key: instant_words(value) if isinstance(value, datetime) else str(value)
              for key, value in fault.items()}  # fmt: skip
    if "flaw" in fault:
        params |= {"flaw": flaw(fault), "lon": f"{fault['lon']:.6f}", "lat": f"{fault['lat']:.6f}"}
    return translated(f"import.rule.{fault['rule']}", str(fault["rule"]), **params)


def flaw(told: Mapping[str, Any]) -> str:
    """Name what is wrong with an outline."""
    return translated(f"import.flaw.{told['flaw']}", str(told["flaw"]))


def rule_name(name: str) -> str:
    """Name a rule where many rows break it: what differs from row to row is left out."""
    blank = dict.fromkeys(("x", "y", "other", "length", "found", "least", "most", "flaw", "lon",
                   "lat"), "…")  # fmt: skip
    return translated(f"import.rule.{name}", name, **blank)


def field(name: str) -> str:
    """Name a field of a register."""
    return translated(f"import.field.{name}", name)


def message(error: Exception) -> str:
    """Write an error for the page on which it happened."""
    params = dict(getattr(error, "params", {}))
    named = str(params.get("field") or "")
    if named.startswith("map."):
        lacking = params.get("missing") or [named.removeprefix("map.")]
        shown = "、".join(field(one) for one in lacking)
    else:
        shown = translated(f"field.{named}", named) if named else ""
    if str(params.get("why", "")).startswith("db_"):
        return cause(params)  # a database of somebody else, not a file
    code = getattr(error, "code", "")
    said = translated(f"error.{code}", str(error), **{"field_name": shown, **params})
    more = cause(params)
    return f"{said}{more}"


def cause(params: Mapping[str, Any]) -> str:
    """Say why a file cannot be read, where that is known."""
    why = params.get("why")
    return translated(f"import.why.{why}", "", **params) if why else ""


def refusal(stored: Mapping[str, Any]) -> str:
    """Say why a batch was refused."""
    if not stored:
        return ""
    params = {"field_name": "", **stored}
    said = translated(f"error.{stored.get('code')}", str(stored.get("code", "")), **params)
    return f"{said} {cause(stored)}".strip()


def note(name: str) -> str:
    """Say what was noticed while a file was read."""
    return translated(f"import.note.{name}", name)


def shift(look: Mapping[str, Any]) -> str:
    """Say how far the places lie from the roads, as given and unshifted."""
    found = look.get("shift") or {}
    if "as_given_m" not in found:
        return ""
    return str(
        _("import.shift", **{key: found[key] for key in ("as_given_m", "gcj02_m", "bd09_m")})
    )


def systems(city: City, settings: Settings, look: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Offer the systems that files of this city come in, and the one that is chosen."""
    usual = ["EPSG:4490", "EPSG:4326", "gcj02", "bd09", f"EPSG:{city.metric_srid}"]
    if 4534 <= city.metric_srid <= 4554:
        usual.append(f"EPSG:{city.metric_srid - 21}")
    for one in (settings.crs, f"EPSG:{look.get('srid')}" if look.get("srid") else ""):
        if one and one not in usual:
            usual.append(one)
    return [(one, _system(one, city)) for one in usual]


def _system(name: str, city: City) -> str:
    if name == f"EPSG:{city.metric_srid}":
        return f"{_('import.crs.metric')} ({name})"
    if name == f"EPSG:{city.metric_srid - 21}" and city.metric_srid <= 4554:
        return f"{_('import.crs.zoned')} ({name})"
    words = translated(f"import.crs.{name.replace('EPSG:', '')}", "")
    return f"{words} ({name})" if words and name.startswith("EPSG") else words or name
