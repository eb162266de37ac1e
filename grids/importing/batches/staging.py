"""From blocks of text to staged rows: every cell read by its rule, every fault kept with its place."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any, Final

import numpy as np
import shapely
from numpy.typing import NDArray

from gis.lattice import project_geometry
from gis.tables import Block, Table
from grids.importing.batches import placing, words
from grids.importing.batches.settings import Settings, refuse_persons
from grids.importing.batches.targets import Field, Lists, Target
from grids.linking import PlaceIndex, link_points
from grids.normal import Unfit, bare

#: The first rows keep what they said, for the preview; the others only where something is wrong.
PREVIEW: Final = 20
#: Values of a column that are remembered with what they were read as.
_MEMO: Final = 200_000
_SHOWN: Final = 60
#: Rules of the engine's front door that have a text of their own here.
HIDDEN_RULES: Final = frozenset({"resident_number"})
#: What is told of a good row.
NOTES: Final = frozenset({"repaired"})
#: What stands where such a rule was broken.
HIDDEN: Final = "***"

#: Address -> its key and place, or how uncertain it is.
Located = tuple[int | None, float, float] | str
Geocoder = Callable[[Sequence[str]], Sequence[Located]]


@dataclass
class Stage:
    """The staged rows of one block, column by column, ready for `copy_frame`."""

    numbers: list[int]
    own_ids: list[str]
    codes: list[str | None]
    data: list[dict[str, Any] | None]
    raw: list[dict[str, str] | None]
    errors: list[list[dict[str, Any]] | None]
    shapes: NDArray[np.object_]
    coord_sources: list[str | None]
    verdicts: list[str]
    cell_id: list[int | None] = field(default_factory=list)
    grid_id: list[int | None] = field(default_factory=list)
    area_code: list[str | None] = field(default_factory=list)

    def columns(self, batch_id: int) -> dict[str, Any]:
        """Return the columns of `import_row`."""
        return {
            "batch_id": [batch_id] * len(self.numbers), "number": self.numbers,
            "own_id": self.own_ids, "code": self.codes, "data": self.data, "raw": self.raw,
            "errors": self.errors, "geom": self.shapes, "cell_id": self.cell_id,
            "grid_id": self.grid_id, "area_code": self.area_code,
            "coord_source": self.coord_sources, "verdict": self.verdicts,
            "state": ["staged"] * len(self.numbers),
        }  # fmt: skip


class Stager:
    """Reads the blocks of one batch. One object for one check: it remembers what it has read."""

    def __init__(
        self, table: Table, target: Target, settings: Settings, frame: placing.Frame, *,
        lists: Lists, index: PlaceIndex, geocode: Geocoder, areas: Sequence[str], county: str,
        parse: Callable[[str], dict[str, str]], shape_frame: placing.Frame | None = None,
        keep: frozenset[int] = frozenset(),
    ) -> None:  # fmt: skip
        self.table, self.target, self.settings, self.frame = table, target, settings, frame
        self.lists, self.index, self.geocode = lists, index, geocode
        self.areas, self.county, self.parse = tuple(areas), county, parse
        #: What the shapes of a block are read against, where they come in another system.
        self.shape_frame = shape_frame or frame
        #: Rows that keep what they said even where nothing is wrong with them.
        self.keep = keep
        self.places = {name: at for at, name in enumerate(table.columns)}
        self.memo: dict[str, dict[str, Any]] = {one.name: {} for one in target.fields}
        self.repairs = placing.Repairs(settings.repair)
        self.seen = 0
        #: What names an entry -> the first good row of the file that does.
        self.first: dict[tuple[str, str], int] = {}

    def stage(self, block: Block) -> Stage:
        """Read one block."""
        count = len(block)
        faults: dict[int, list[dict[str, Any]]] = {}
        for at, rule in block.problems.items():
            faults.setdefault(at, []).append({"rule": rule, "column": "", "field": ""})
        values: dict[str, list[Any]] = {}
        for one in self.target.fields:
            if one.name in ("lon", "lat", "place", "wkt", "address"):
                continue
            values[one.name] = self._read(one, block, faults)
        notes: dict[int, dict[str, Any]] = {}
        shapes, sources, held, addresses = self._locate(block, faults, notes)
        for at in block.problems:
            # A row that is broken as a whole says that alone: the rest follows from it.
            faults[at] = faults[at][:1]
        data = self._data(values, addresses, shapes, count)
        self._judge(data, faults)
        made = self._stage(block, values, data, shapes, sources, held, faults, notes)
        self._link(made)
        self._reject_twice(block, made)
        self.seen += count
        return made

    # --- Values -----------------------------------------------------------------------------

    def texts(self, name: str, block: Block) -> list[str] | None:
        """Return what the file says of a field, row by row; None where it is not mapped."""
        given = self.settings.mapping.get(name)
        if given is None:
            return None
        if not given.column:
            return [given.value] * len(block)
        return block.columns[self.places[given.column]]

    def _read(self, one: Field, block: Block, faults: dict[int, list[dict[str, Any]]]) -> list[Any]:
        texts = self.texts(one.name, block)
        if texts is None:
            if one.is_required:
                raise LookupError(one.name)
            return [None] * len(block)
        memo = self.memo[one.name]
        out: list[Any] = []
        for at, text in enumerate(texts):
            value = memo.get(text, memo)
            if value is memo:
                value = self._value(one, text)
                if len(memo) < _MEMO:
                    memo[text] = value
            if isinstance(value, Unfit):
                faults.setdefault(at, []).append(self._fault(one.name, value, text))
                value = None
            out.append(value)
        return out

    def _value(self, one: Field, text: str) -> Any:
        """Read one cell; what is unfit comes back as such, to be remembered like a value."""
        try:
            plain = refuse_persons(bare(text))
            if not plain:
                return Unfit("required") if one.is_required else None
            if one.listed:
                found = self.lists[one.listed].get(words.plain(plain))
                if found is None:
                    return Unfit("not_in_list")
                return found
            value = one.read(plain)
        except Unfit as error:
            return error
        return value.isoformat() if isinstance(value, date) else value

    def _fault(self, name: str, why: Unfit, text: str) -> dict[str, Any]:
        given = self.settings.mapping.get(name)
        shown = "" if why.rule in HIDDEN_RULES else text[:_SHOWN]
        return {"rule": why.rule, "column": given.column if given else "", "field": name,
                "value": shown, **why.params}  # fmt: skip

    # --- Places -----------------------------------------------------------------------------

    def _locate(
        self, block: Block, faults: dict[int, list[dict[str, Any]]],
        notes: dict[int, dict[str, Any]],
    ) -> tuple[NDArray[np.object_], list[str | None], set[int], dict[int, int]]:  # fmt: skip
        """Find the shape of each row: from the file's geometry, columns, pairs, WKT, an address."""
        count = len(block)
        shapes = np.full(count, None, dtype=object)
        problems: dict[int, tuple[str, Unfit]] = {}
        for name, found in self._places(block):
            free = np.array([shape is None for shape in shapes], dtype=bool)
            for at in np.flatnonzero(free).tolist():
                if found.shapes[at] is not None:
                    shapes[at] = found.shapes[at]
                    problems.pop(at, None)
                    if at in found.notes:
                        notes[at] = self._fault(name, found.notes[at], "")
                elif at in found.problems:
                    problems.setdefault(at, (name, found.problems[at]))
        sources: list[str | None] = [self.frame.coord_source] * count
        addresses, held = self._by_address(block, shapes, sources, problems)
        for at, (name, why) in problems.items():
            column = self.texts(name, block)
            faults.setdefault(at, []).append(self._fault(name, why, column[at] if column else ""))
        return shapes, sources, held, addresses

    def _places(self, block: Block) -> list[tuple[str, placing.Placed]]:
        found = []
        if block.wkb is not None:
            found.append(
                (
                    "geom",
                    placing.of_wkb(block.wkb, self.shape_frame, self.target.shapes, self.repairs),
                )
            )
        lon, lat = self.texts("lon", block), self.texts("lat", block)
        if lon is not None and lat is not None:
            found.append(("lon", placing.of_columns(lon, lat, self.frame)))
        if (texts := self.texts("place", block)) is not None:
            found.append(("place", placing.of_pairs(texts, self.frame)))
        if (texts := self.texts("wkt", block)) is not None:
            found.append(("wkt", placing.of_wkt(
                texts, self.frame, self.target.shapes, self.repairs)))  # fmt: skip
        return found

    def _by_address(
        self, block: Block, shapes: NDArray[np.object_], sources: list[str | None],
        problems: dict[int, tuple[str, Unfit]],
    ) -> tuple[dict[int, int], set[int]]:  # fmt: skip
        """Find by its address what has no coordinates; what stays uncertain is held."""
        free = [at for at in range(len(block)) if shapes[at] is None and at not in problems]
        texts = self.texts("address", block)
        wanted = [at for at in free if texts[at]] if texts else []
        for at in set(free) - set(wanted):
            problems[at] = ("geom", Unfit("no_place"))
        addresses: dict[int, int] = {}
        held: set[int] = set()
        answers = self.geocode([texts[at] for at in wanted]) if texts and wanted else []
        for at, answer in zip(wanted, answers, strict=True):
            if isinstance(answer, str):
                problems[at] = ("address", Unfit(f"address_{answer}"))
                if answer != "outside":
                    held.add(at)
                continue
            address_id, lon, lat = answer
            shapes[at], sources[at] = shapely.Point(lon, lat), "derived"
            if address_id is not None:
                addresses[at] = address_id
        return addresses, held

    # --- Rows -------------------------------------------------------------------------------

    def _data(
        self, values: dict[str, list[Any]], addresses: dict[int, int],
        shapes: NDArray[np.object_], count: int,
    ) -> list[dict[str, Any]]:  # fmt: skip
        names = [
            one.name for one in self.target.fields if one.name in values and one.name != "own_id"
        ]
        columns = [values[name] for name in names]
        data = [
            {name: value for name, value in zip(names, row, strict=True) if value is not None}
            for row in (zip(*columns, strict=True) if columns else [()] * count)
        ]
        if self.target.has_address:
            for at, address_id in addresses.items():
                data[at]["address_id"] = address_id
        if self.target.name == "building":
            for at, shape in enumerate(shapes):
                if shape is not None:
                    area = project_geometry(shape, self.frame.metric_srid).area
                    data[at]["area_m2"] = round(float(area), 2)
        if self.target.name == "address":
            for row in data:
                parts = self.parse(row["text"]) if "text" in row else {}
                row |= {name: value for name, value in parts.items() if name not in row}
        return data

    def _judge(self, data: list[dict[str, Any]], faults: dict[int, list[dict[str, Any]]]) -> None:
        """Check what two fields say together."""
        if self.target.name != "component":
            return
        for at, row in enumerate(data):
            identifier, code = row.get("identifier"), row.get("code")
            if identifier is None or code is None:
                continue
            rule = ("identifier_county" if not identifier.startswith(self.county)
                    else "identifier_class" if identifier[6:11] != code else "")  # fmt: skip
            if rule:
                faults.setdefault(at, []).append(self._fault("identifier", Unfit(rule), identifier))

    def _stage(
        self, block: Block, values: dict[str, list[Any]], data: list[dict[str, Any]],
        shapes: NDArray[np.object_], sources: list[str | None], held: set[int],
        faults: dict[int, list[dict[str, Any]]], notes: dict[int, dict[str, Any]],
    ) -> Stage:  # fmt: skip
        count = len(block)
        code_field = self.target.code
        codes: list[str | None] = (
            [row.get(code_field) for row in data] if code_field else [None] * count
        )
        own = values["own_id"]
        own_ids = [own[at] or codes[at] or _digest(data[at], shapes[at]) for at in range(count)]
        verdicts = ["new"] * count
        for at, found in faults.items():
            only_held = at in held and all(one["rule"].startswith("address_") for one in found)
            verdicts[at] = "held" if only_held else "rejected"
        kept = [faults.get(at) for at in range(count)]
        for at, note in notes.items():
            kept[at] = [*(kept[at] or []), note]
        raw = [
            self._raw(block, at, kept[at])
            if kept[at] or self.seen + at < PREVIEW or block.numbers[at] in self.keep
            else None
            for at in range(count)
        ]
        return Stage(
            block.numbers, own_ids, codes, list(data), raw, kept, shapes, sources, verdicts
        )

    def _raw(
        self, block: Block, at: int, faults: Sequence[dict[str, Any]] | None
    ) -> dict[str, str]:
        """Keep what the row said in the columns that are taken; numbers of persons are blacked out."""
        hidden = {one["column"] for one in faults or () if one["rule"] in HIDDEN_RULES}
        return {
            given.column: HIDDEN if given.column in hidden
            else block.columns[self.places[given.column]][at]
            for given in self.settings.mapping.values() if given.column
        }  # fmt: skip

    def _link(self, made: Stage) -> None:
        """Find cell, grid and area of every shape; what lies in other areas is not taken."""
        count = len(made.numbers)
        made.cell_id, made.grid_id = [None] * count, [None] * count
        made.area_code = [None] * count
        there = [at for at in range(count) if made.shapes[at] is not None]
        if not there:
            return
        linked = self.index.link(link_points(made.shapes[there]))
        grids = linked.grid_id.tolist()
        for k, at in enumerate(there):
            made.cell_id[at] = int(linked.cell_id[k])
            made.grid_id[at] = grids[k]
            area = str(linked.area_code[k])
            made.area_code[at] = area
            if not area.startswith(self.areas):
                made.errors[at] = [*(made.errors[at] or []),
                                   {"rule": "outside_area", "column": "", "field": "geom"}]  # fmt: skip
                made.verdicts[at] = "rejected"

    def _reject_twice(self, block: Block, made: Stage) -> None:
        """Refuse a second row that names the same thing; the first good one stands."""
        for at, number in enumerate(made.numbers):
            if made.verdicts[at] != "new":
                continue
            names = (("own_id", made.own_ids[at]), ("code", made.codes[at] or ""))
            for kind, name in names:
                first = self.first.setdefault((kind, name), number) if name else number
                if first != number:
                    rule = "twice" if kind == "own_id" else "code_twice"
                    made.verdicts[at] = "rejected"
                    made.errors[at] = [{"rule": rule, "column": "", "field": "", "other": first}]
                    made.raw[at] = self._raw(block, at, None)
                    break


def _digest(row: dict[str, Any], shape: Any) -> str:
    """Name a row that has no id by what it says: the same row again is the same entry."""
    body = json.dumps(row, sort_keys=True, ensure_ascii=False, default=str).encode()
    place = b"" if shape is None else bytes(shapely.to_wkb(shape))
    return "#" + hashlib.sha256(body + place).hexdigest()[:40]
