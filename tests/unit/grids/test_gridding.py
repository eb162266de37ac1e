"""Grids follow roads and water, tile their community exactly and hold a like load."""

import numpy as np
import pytest
import shapely

from grids import gridding
from grids.gridding import (
    GREAT,
    MAIN_STREET,
    STREET,
    Barriers,
    Homes,
    Known,
    Name,
    Seed,
    Sizes,
    Territory,
    lay_blocks,
    lay_city,
)

SIDE = 2400.0
#: The largest gap or overlap between siblings that the rules allow (domain 2.2).
TOLERANCE_M2 = 0.5


def streets(every: float = 200.0) -> Barriers:
    """A crooked street net with a river across, drawn from a seed."""
    rng = np.random.default_rng(4)
    lines, strength = [], []
    for axis in (0, 1):
        for at in np.arange(every / 2, SIDE, every):
            along = np.linspace(-50, SIDE + 50, 13)
            across = at + rng.uniform(-15, 15, len(along))
            xy = np.column_stack([along, across] if axis else [across, along])
            lines.append(shapely.LineString(xy))
            strength.append(MAIN_STREET if round(at / every) % 4 == 0 else STREET)
    lines.append(shapely.LineString([(-50, 1100), (800, 1190), (1600, 1010), (SIDE + 50, 1150)]))
    strength.append(GREAT)
    made = np.empty(len(lines), dtype=object)
    made[:] = lines
    return Barriers(made, np.array(strength))


def homes(n: int = 4000) -> Homes:
    rng = np.random.default_rng(8)
    xy = rng.uniform(0, SIDE, (n, 2))
    # The centre is denser than the edge.
    return Homes(xy, np.maximum(1, 12 - np.hypot(*(xy - SIDE / 2).T) / 150).round())


def territory(**more: object) -> Territory:
    described = {
        "name": Name("示例市", "Sample"),
        "county_code": "339901",
        "outline": shapely.Point(SIDE / 2, SIDE / 2).buffer(SIDE / 2),
        "barriers": streets(),
        "homes": homes(),
    }
    return Territory(**(described | more))  # type: ignore[arg-type]


@pytest.fixture(scope="module")
def layout() -> gridding.Layout:
    return lay_city(territory())


def shapes(grids: list[gridding.DutyGrid]) -> np.ndarray:
    return np.array([grid.shape for grid in grids], dtype=object)


def test_grids_tile_the_city_without_gap_or_overlap(layout: gridding.Layout) -> None:
    grids = shapes(layout.grids)

    assert shapely.coverage_is_valid(grids)
    assert shapely.is_valid(grids).all()
    outline = territory().outline
    assert shapely.symmetric_difference(shapely.union_all(grids), outline).area < TOLERANCE_M2
    assert abs(shapely.area(grids).sum() - outline.area) < TOLERANCE_M2


def test_codes_are_prefixes_and_children_tile_their_parent(layout: gridding.Layout) -> None:
    children = {d.code: d.shape for d in layout.divisions} | {g.code: g.shape for g in layout.grids}
    for parent in layout.divisions:
        inside = [shape for code, shape in children.items() if code[:-3] == parent.code]
        united = shapely.coverage_union_all(np.array(inside, dtype=object))
        assert shapely.symmetric_difference(united, parent.shape).area < TOLERANCE_M2, parent.code
    assert len(children) == len(layout.divisions) + len(layout.grids)


def test_grids_hold_a_like_number_of_dwellings(layout: gridding.Layout) -> None:
    held = np.array([grid.dwellings for grid in layout.grids])

    assert held.sum() == pytest.approx(homes().dwellings.sum(), rel=0.3)
    assert np.median(held) == pytest.approx(300, rel=0.25)
    assert held.max() <= 2.2 * 300


def test_grid_borders_run_along_streets_and_the_river(layout: gridding.Layout) -> None:
    grids = shapes(layout.grids)
    borders = shapely.union_all(shapely.boundary(grids))
    inner = borders.difference(territory().outline.boundary.buffer(1))
    lines = shapely.union_all(streets().lines).buffer(0.05)

    assert inner.intersection(lines).length / inner.length > 0.95


def test_nothing_crosses_the_river_where_it_could_be_followed(layout: gridding.Layout) -> None:
    river = streets().lines[-1]
    crossed = [grid.shape.intersection(river).length for grid in layout.grids]
    on_border = [
        grid.shape.boundary.buffer(0.05).intersection(river).length for grid in layout.grids
    ]

    inside = sum(crossed) - sum(on_border)
    assert inside < 0.1 * river.length


def test_the_same_city_is_laid_the_same_way(layout: gridding.Layout) -> None:
    again = lay_city(territory())

    assert [grid.code for grid in again.grids] == [grid.code for grid in layout.grids]
    assert shapely.equals_exact(shapes(again.grids), shapes(layout.grids)).all()


def test_sequence_codes_run_west_to_east_and_north_to_south() -> None:
    boxes = [shapely.box(x, y, x + 1, y + 1) for y in (2, 1, 0) for x in (0, 1, 2)]
    mixed = [boxes[at] for at in (4, 8, 0, 2, 6, 1, 7, 3, 5)]

    order = gridding.reading_order(mixed)

    assert [mixed[at] for at in order] == boxes


def test_a_block_without_streets_is_divided_between_its_houses() -> None:
    nothing = Barriers(np.empty(0, dtype=object), np.empty(0))
    laid = lay_city(territory(barriers=nothing, sizes=Sizes(grid=300)))

    assert len(laid.grids) >= 20
    assert shapely.coverage_is_valid(shapes(laid.grids))
    assert max(grid.dwellings for grid in laid.grids) <= 2.2 * 300


def test_known_towns_keep_their_border_and_free_land_becomes_a_town() -> None:
    west = Known(Name("西街道", "West"), shapely.box(0, 0, 900, SIDE).intersection(
        territory().outline))  # fmt: skip

    laid = lay_city(territory(towns=(west,)))

    towns = [division for division in laid.divisions if len(division.code) == 9]
    kept = next(town for town in towns if town.name == west.name)
    assert shapely.symmetric_difference(kept.shape, west.shape).area < TOLERANCE_M2
    assert len(towns) == 2


def test_communities_grow_around_named_places() -> None:
    seeds = tuple(
        Seed(Name(f"村{n}", f"Village {n}"), x, y)
        for n, (x, y) in enumerate([(600, 600), (1800, 600), (600, 1800), (1800, 1800)])
    )
    laid = lay_city(territory(community_seeds=seeds, sizes=Sizes(exact_seeds=True)))

    communities = [division for division in laid.divisions if len(division.code) == 12]
    names = {division.name.zh: division.shape for division in communities}
    assert set(names) == {"村0", "村1", "村2", "村3"}
    for seed in seeds:
        assert names[seed.name.zh].covers(shapely.Point(seed.x, seed.y))


def test_parts_that_do_not_touch_become_grids_of_their_own() -> None:
    island = shapely.box(6000, 0, 6400, 400)
    both = shapely.union_all([territory().outline, island])

    laid = lay_city(territory(outline=both))

    alone = [grid for grid in laid.grids if grid.shape.intersects(island)]
    assert len(alone) == 1
    assert shapely.symmetric_difference(alone[0].shape, island).area < TOLERANCE_M2


def test_an_empty_city_is_one_grid() -> None:
    nobody = Homes(np.empty((0, 2)), np.empty(0))
    nothing = Barriers(np.empty(0, dtype=object), np.empty(0))

    laid = lay_city(territory(outline=shapely.box(0, 0, 500, 500), homes=nobody, barriers=nothing))

    assert [grid.code for grid in laid.grids] == ["339901001001001"]


def test_neighbours_know_their_common_edge() -> None:
    cross = np.array([shapely.LineString([(50, -10), (50, 110)])], dtype=object)
    blocks = lay_blocks(
        shapely.box(0, 0, 100, 100),
        np.empty(0, dtype=object),
        Barriers(cross, np.array([GREAT])),
        Homes(np.array([[10.0, 10.0]]), np.array([3.0])),
        most_dwellings=100,
    )

    assert blocks.pairs.tolist() == [[0, 1]]
    assert blocks.shared_m.tolist() == [100.0]
    assert blocks.strength.tolist() == [GREAT]
    assert blocks.dwellings.tolist() == [3.0, 0.0]
