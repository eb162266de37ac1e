"""Entries that stay where they are: places that differ only by how they were written or found.

A file rounds its coordinates and transforms them; an address tells the house, not the spot. Both
would move an entry with every delivery, and a history full of such moves hides the true ones.
"""

from __future__ import annotations

from typing import Any, Final

import psycopg
from psycopg import sql

from grids.importing.batches.targets import Target

#: Places so near are one: seven digits of a degree are a centimetre, transformations some more.
ROUNDED_M: Final = 0.5
#: An address speaks of a place that is farther from the entry than this.
OF_ADDRESS_M: Final = 200.0
#: Degrees of latitude; of longitude the same are fewer metres.
_A_METRE: Final = 1 / 111_200


def stay(run: psycopg.Cursor[Any], batch_id: int, target: Target, which: sql.Composable) -> None:
    """Give rows whose entry is found its own place where theirs says nothing else.

    `which` limits the rows `r`. Outlines stay where no corner has moved.
    """
    far: sql.Composable = sql.SQL(
        "(r.coord_source = 'derived' AND ST_DistanceSphere(t.geom, r.geom) < {derived}"
        " OR ST_DistanceSphere(t.geom, r.geom) < {rounded})"
    ).format(derived=OF_ADDRESS_M, rounded=ROUNDED_M)
    if target.shapes != "point":
        # The cheap measure leaves few for the dear one.
        far = sql.SQL(
            "t.geom && ST_Expand(r.geom, {degrees}) AND ST_HausdorffDistance(t.geom, r.geom) < {degrees}"
        ).format(degrees=ROUNDED_M * _A_METRE)
    # The area of an outline was measured on the one that is given up here.
    area = sql.SQL(
        ", data = r.data || jsonb_build_object('area_m2', t.area_m2)"
        if target.name == "building" else ""
    )  # fmt: skip
    run.execute(
        sql.SQL("""
            UPDATE import_row AS r SET geom = t.geom, cell_id = t.cell_id, grid_id = t.grid_id,
                   area_code = t.area_code, coord_source = t.coord_source{area}
            FROM {table} AS t
            WHERE r.batch_id = %s AND r.verdict = 'new' AND t.id = r.entry_id AND {which}
              AND NOT t.geom = r.geom AND {far}
        """).format(table=sql.Identifier(target.name), which=which, far=far, area=area),
        (batch_id,),
    )
