"""A handful of streets and estates, held in memory, for tests of the geocoder."""

from grids.addressing.levels import Level
from grids.addressing.library import InMemory, Names, grouped
from grids.addressing.names import Name, NameIndex
from grids.addressing.places import Place, keys_of
from grids.addressing.vocabulary import Vocabulary, area_names

AREAS = (
    ("339901", "示例市"), ("339901001", "安澜街道"), ("339901001001", "九源社区"),
    ("339901001002", "下畈村"), ("339901002", "青溪镇"), ("339901002001", "凤楼村"),
)  # fmt: skip
WEST, EAST = "339901001001001", "339901002001001"


def places() -> list[Place]:
    """Return doors of two streets, an estate behind a gate, a village."""
    rows: list[tuple[str | None, str | None, str | None, str | None, str]] = [
        *(("康岭街", f"{n}号", None, None, WEST) for n in (1, 3, 5, 7, 9, 12, 14, 21)),
        ("康岭街", "21-1号", None, None, WEST),
        *(("长春路", f"{n}号", None, None, EAST) for n in (2, 4, 12)),
        ("康岭街", "88号", "金色花园", None, WEST),
        *(("康岭街", "88号", "金色花园", f"{n}幢", WEST) for n in (1, 2, 5)),
        *((None, f"{n}号", "凤楼村", None, EAST) for n in (12, 15)),
        ("学院二弄", "3号", None, None, WEST),
    ]
    return [
        Place(
            k, str(k), _text(*row), *row,
            120.01 + 0.0001 * k, 29.3, area,
        )
        for k, (*row, area) in enumerate(rows, 1)
    ]  # fmt: skip


def _text(street, number, estate, building):
    if estate and building:
        return estate + building
    return "".join(part for part in (street, estate if not street else None, number) if part)


def library() -> InMemory:
    """Return the library of these places; 康岭街 was 旧塘街 once."""
    found = places()
    levels: dict[str, set[Level]] = {}
    names = []
    for place in found:
        for (name, is_street), _ in keys_of(place):
            known = levels.setdefault(name, set())
            if not known:
                names.append(Name(name, is_street))
            known.add(Level.STREET if is_street else Level.ESTATE)
    names.append(Name("旧塘街", True, "康岭街"))
    levels["旧塘街"] = {Level.STREET}
    vocabulary = Vocabulary(
        "339901", area_names(AREAS), {name: frozenset(ones) for name, ones in levels.items()}
    )
    return InMemory(Names("", vocabulary, NameIndex(names), {}), grouped(found), {})
