"""Dirty addresses to the right building: how many, how sure, how fast, beside trigrams.

100,000 texts at scale 1, of every kind of dirt in its share (`grids/synth/dirty.py`); the
baseline is what a database offers by itself: the most similar text by pg_trgm, on a sample.
"""

from __future__ import annotations

import sys
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import psycopg
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.config import as_role
from bench import Result
from bench.kept import kept_city
from grids.addressing.service import geocode, geocode_many
from grids.db import engine
from grids.synth.dirty import ABSENT, KINDS, Clean, Dirty, dirty

ROWS: Final = 100_000
SEED: Final = 11
SAMPLE: Final = 300  #: texts for the baseline, and for one text at a time
RIGHT, PRECISION = 0.95, 0.99
ONE_MS: Final = 300.0  #: U17: what the search box may take at the 95th percentile

#: Addresses of buildings with the names of their areas, as `Clean` has them.
CLEAN: Final = """
    SELECT a.id, c.name_zh AS county, t.name_zh AS town, m.name_zh AS community,
           a.street, a.number, a.estate, a.building, n.old AS old_street
    FROM address AS a JOIN building AS b ON b.address_id = a.id
    JOIN area AS c ON c.code = left(a.area_code, 6)
    JOIN area AS t ON t.code = left(a.area_code, 9)
    JOIN area AS m ON m.code = left(a.area_code, 12)
    LEFT JOIN address_name AS n ON n.level = 'street' AND n.new = a.street
    ORDER BY a.id
"""
_SIMILAR = "SELECT id FROM address WHERE text %% %s ORDER BY similarity(text, %s) DESC, id LIMIT 1"


@dataclass
class Tally:
    """What became of the texts, by kind of dirt."""

    all: Counter[str] = field(default_factory=Counter)
    right: Counter[str] = field(default_factory=Counter)
    sure: Counter[str] = field(default_factory=Counter)
    sure_right: Counter[str] = field(default_factory=Counter)

    def note(self, one: Dirty, found: int | None, *, is_sure: bool) -> None:
        """Count one text. Where no address is right, none that is sure is right."""
        self.all[one.kind] += 1
        is_right = found == one.address_id if one.address_id is not None else not is_sure
        self.right[one.kind] += is_right
        self.sure[one.kind] += is_sure
        self.sure_right[one.kind] += is_sure and found == one.address_id

    def share(self) -> float:
        """Share of the texts with an address that came to it."""
        kinds = [kind for kind in self.all if kind not in ABSENT]
        return sum(self.right[k] for k in kinds) / max(1, sum(self.all[k] for k in kinds))

    def precision(self) -> float:
        """Share of the sure answers that are right; those for texts without an address are not."""
        return sum(self.sure_right.values()) / max(1, sum(self.sure.values()))

    def show(self) -> None:
        """Print the table of the kinds."""
        print(f"  {'kind':14} {'texts':>7} {'right':>7} {'sure':>7} {'of the sure right':>18}")
        for kind in (*KINDS, *ABSENT):
            count, sure = self.all[kind], self.sure[kind]
            if count:
                exact = f"{self.sure_right[kind] / sure:.4f}" if sure else "-"
                print(
                    f"  {kind:14} {count:7} {self.right[kind] / count:7.3f} {sure / count:7.3f} {exact:>18}"
                )


def run(scale: float) -> list[Result]:
    """Measure at a scale of the customer's city."""
    with kept_city(scale) as made:
        owner = as_role(made.url, "wangge_owner", "none")
        pool = engine(owner)
        with Session(pool) as session:
            clean = [Clean(**row) for row in session.execute(text(CLEAN)).mappings()]
            texts = list(dirty(clean, max(2000, round(ROWS * scale)), SEED))
            print(f"  {len(clean)} addresses of buildings, {len(texts)} texts", file=sys.stderr)
            tally, per_s = _ours(session, texts)
            one_ms = _one_by_one(session, texts[:SAMPLE])
        pool.dispose()
        similar, similar_per_s, similar_ms = _similar(owner, texts[:SAMPLE])
    tally.show()
    return [
        Result("addresses: texts at the right building", scale, tally.share(), RIGHT, "share", 1.0),
        Result("addresses: sure answers that are right", scale, tally.precision(), PRECISION,
               "share", 1.0),
        Result("addresses: right, beside trigrams", scale, tally.share(), similar.share(), "share", 1.0),
        Result("addresses: a batch in memory, beside trigrams", scale, per_s, similar_per_s, "/s", 1.0),
        Result("addresses: one text by look-ups, p95, of what a search may take", scale, one_ms,
               ONE_MS, "ms", 1.0, "lower"),
        Result("addresses: one text by look-ups, p95, beside trigrams", scale, one_ms, similar_ms,
               "ms", 1.0, "lower"),
    ]  # fmt: skip


def _ours(session: Session, texts: Sequence[Dirty]) -> tuple[Tally, float]:
    tally = Tally()
    started = time.perf_counter()
    for one, match in zip(texts, geocode_many(session, (t.text for t in texts)), strict=True):
        best = match.best
        tally.note(one, best.address_id if best else None, is_sure=match.verdict == "sure")
    return tally, len(texts) / (time.perf_counter() - started)


def _one_by_one(session: Session, texts: Sequence[Dirty]) -> float:
    geocode(session, texts[0].text)  # reads the names
    taken = []
    for one in texts:
        started = time.perf_counter()
        geocode(session, one.text)
        taken.append(time.perf_counter() - started)
    return 1000 * _p95(taken)


def _similar(url: str, texts: Sequence[Dirty]) -> tuple[Tally, float, float]:
    tally, taken = Tally(), []
    with psycopg.connect(url.replace("postgresql+psycopg", "postgresql")) as conn:
        for one in texts:
            started = time.perf_counter()
            row: Any = conn.execute(_SIMILAR, (one.text, one.text)).fetchone()
            taken.append(time.perf_counter() - started)
            tally.note(one, row[0] if row else None, is_sure=False)
    return tally, len(texts) / sum(taken), 1000 * _p95(taken)


def _p95(taken: list[float]) -> float:
    return sorted(taken)[int(0.95 * (len(taken) - 1))]
