"""How a source's files are read: remembered from batch to batch, changed by whoever looks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any, Final, Literal

from gis.crs import epsg
from gis.errors import UnknownCrs
from gis.tables import ReadAs
from gis.tables.encodings import ENCODINGS
from gis.tables.model import GUESSED
from grids.errors import Invalid
from grids.importing.batches.targets import NO_COLUMNS, Target
from grids.importing.batches.words import plain
from grids.key_population.identifiers import is_resident_number
from grids.normal import Unfit

Mode = Literal["good", "all"]
Match = Literal["likely", "exact"]
MODES: Final = ("good", "all")
#: How rows are led to entries: by codes and ids alone, or by their likeness too.
MATCHES: Final = ("likely", "exact")
SHIFTED: Final = ("gcj02", "bd09")
_LONGEST: Final = 200
_EPSG: Final = re.compile(r"EPSG:\d{4,6}")
#: Heads that announce a person: never suggested, never staged.
PERSONAL: Final = (
    "身份证", "证件号", "公民身份", "姓名", "法人代表", "法定代表人", "负责人", "联系人", "手机", "电话",
    "联系方式", "出生", "idcard", "phone", "mobile", "legalperson",
)  # fmt: skip


class BadSettings(Invalid):
    """A setting of a batch is wrong; `field` names it."""

    code = "import.bad_settings"


@dataclass(frozen=True)
class Given:
    """Where a field comes from: a column of the file, or one value for every row."""

    column: str = ""
    value: str = ""


@dataclass(frozen=True)
class Settings:
    """How to read a file and what its columns mean.

    `crs` is ``EPSG:n``, ``gcj02``, ``bd09`` or "" for the system that the file states.
    """

    read: ReadAs = GUESSED
    crs: str = ""
    mode: Mode = "good"
    mapping: Mapping[str, Given] = field(default_factory=dict)
    #: Outlines that are not valid are repaired: of one batch only, after its preview.
    repair: bool = False
    #: `likely`: what no code leads to an entry is compared with the register (`likely`).
    match: Match = "likely"

    def as_json(self) -> dict[str, Any]:
        """Return what is stored."""
        return asdict(self)


def settings_of(stored: Mapping[str, Any]) -> Settings:
    """Read what was stored."""
    mapping = {name: Given(**given) for name, given in (stored.get("mapping") or {}).items()}
    return Settings(
        ReadAs(**(stored.get("read") or {})), stored.get("crs", ""), stored.get("mode", "good"),
        mapping, bool(stored.get("repair")), stored.get("match", "likely"),
    )  # fmt: skip


def checked(settings: Settings, target: Target, columns: Iterable[str] = ()) -> Settings:
    """Check settings that somebody chose; return them without what is empty.

    `columns` are those of the file; without them columns are not checked. Raises `BadSettings`.
    """
    if settings.mode not in MODES:
        raise BadSettings("no such mode", field="mode")
    if settings.match not in MATCHES:
        raise BadSettings("no such way to match", field="match")
    if settings.read.encoding not in ("", *ENCODINGS):
        raise BadSettings("no such encoding", field="encoding")
    if len(settings.read.delimiter) > 1:
        raise BadSettings("a delimiter is one sign", field="delimiter")
    if not 0 <= settings.read.head_row <= 1000:
        raise BadSettings("no such row", field="head_row")
    check_crs(settings.crs)
    known = {one.name for one in target.fields}
    here = set(columns)
    mapping = {}
    for name, given in settings.mapping.items():
        if name not in known:
            raise BadSettings(f"{target.name} has no field {name[:30]}", field=f"map.{name[:30]}")
        if given.column and here and given.column not in here:
            raise BadSettings(f"the file has no column {given.column[:80]}", field=f"map.{name}")
        if len(given.value) > _LONGEST or len(given.column) > _LONGEST:
            raise BadSettings("too long", field=f"map.{name}")
        if given.value and name in NO_COLUMNS:
            raise BadSettings("one value for all rows names no place", field=f"map.{name}")
        if given.column or given.value:
            mapping[name] = given if given.column else Given(value=given.value)
    return replace(settings, mapping=mapping)


def check_crs(name: str) -> None:
    """Raise `BadSettings` for a system that is not known."""
    if name == "" or name in SHIFTED:
        return
    if not _EPSG.fullmatch(name):
        raise BadSettings("no such system", field="crs")
    try:
        epsg(int(name.removeprefix("EPSG:")))
    except UnknownCrs as error:
        raise BadSettings(f"no system {name}", field="crs") from error


def missing(settings: Settings, target: Target, *, has_geometry: bool) -> tuple[str, ...]:
    """Name what a batch still needs before it can be checked: required fields and a place."""
    named = set(settings.mapping)
    wanted = [one.name for one in target.fields if one.is_required and one.name not in named]
    if not has_geometry and not ({"lon", "lat"} <= named or named & {"place", "wkt", "address"}):
        wanted.append("place")
    return tuple(wanted)


def suggested(target: Target, columns: Iterable[str]) -> dict[str, Given]:
    """Suggest which column brings which field, by its name in Chinese or English.

    A whole name goes first, then a name that begins or ends with one; a column serves once.
    """
    free = {column: plain(column) for column in columns if not is_personal(column)}
    found: dict[str, Given] = {}
    for exact in (True, False):
        for one in target.fields:
            if one.name in found:
                continue
            column = next((c for c, word in free.items() if _fits(word, one.words, exact)), None)
            if column is not None:
                found[one.name] = Given(column=column)
                del free[column]
    return found


def _fits(word: str, known: frozenset[str], exact: bool) -> bool:
    if exact:
        return word in known
    return any(len(one) >= 2 and not one.isascii() and (word.startswith(one) or word.endswith(one))
               for one in known)  # fmt: skip


def remembered(source: Settings, target: Target, columns: Iterable[str]) -> dict[str, Given]:
    """Take the mapping that the source had, as far as the file has its columns; fill the rest."""
    here = list(columns)
    kept = {name: given for name, given in source.mapping.items()
            if given.value or given.column in here}  # fmt: skip
    used = {given.column for given in kept.values()}
    rest = suggested(target, [column for column in here if column not in used])
    return {**{name: given for name, given in rest.items() if name not in kept}, **kept}


def is_personal(column: str) -> bool:
    """Say whether the head of a column announces a person, who is never imported here."""
    word = plain(column)
    return any(plain(one) in word for one in PERSONAL)


def refuse_persons(text: str) -> str:
    """Return a text, or raise `Unfit` where it holds a resident number."""
    if len(text) >= 15 and is_resident_number(text.upper()):
        raise Unfit("resident_number")
    return text
