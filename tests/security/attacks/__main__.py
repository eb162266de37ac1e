"""Print the table of attacks: `python -m tests.security.attacks`."""

from __future__ import annotations

import sys
import time

from tests.security.attacks.attackers import ATTACKS, Outcome, large_world, told_share, usual_world
from tests.security.attacks.intervals import exposed
from tests.security.attacks.publishers import Fresh, Naive, Platform, Rounding
from tests.security.attacks.world import MEASURES, make_world


def main() -> int:
    """Run every attack on every publisher; 1 where the platform loses."""
    world = large_world()
    usual = usual_world()
    say(f"{'attack':<42}{'publisher':<15}{'tries':>6}{'recovered':>11}{'prior':>8}  verdict")
    lost = False
    for attack in ATTACKS.values():
        for publisher in (Naive(), Rounding(), Fresh(), Platform()):
            # Sums can be taken apart where most is told; the others aim at small grids.
            found = attack(publisher, usual if attack is ATTACKS["unions"] else world)
            say(line(found))
            lost |= isinstance(publisher, Platform) and not found.is_safe
    for name, cells in overlaps().items():
        say(f"{'cells narrower than ten (integer programs)':<42}{name:<15}{cells[1]:>6}"
              f"{cells[0]:>11}{0:>8}  {'wins' if cells[0] else 'fails'}")  # fmt: skip
        lost |= name == "platform" and cells[0] > 0
    began = time.perf_counter()
    told = Platform().publish(usual)
    say(f"\n{len(usual.codes)} areas, {len(usual.grids)} of them grids, "
          f"{sum(map(len, usual.grids.values()))} people")  # fmt: skip
    say(f"published in {time.perf_counter() - began:.2f} s; withheld:")
    for measure in MEASURES:
        shares = "  ".join(
            f"{name} {told_share(told, usual, measure, n):5.1%}"
            for name, n in (("towns", 9), ("communities", 12), ("grids", 15))
        )
        say(f"  {measure:<12}{shares}")
    return int(lost)


def say(text: str) -> None:
    sys.stdout.write(f"{text}\n")


def line(found: Outcome) -> str:
    """Write one row of the table."""
    verdict = "fails" if found.is_safe else "wins"
    return (f"{found.attack:<42}{found.publisher:<15}{found.tries:>6}{found.recovered:>11.3f}"
            f"{found.prior:>8.3f}  {verdict}")  # fmt: skip


def overlaps(seeds: range = range(3)) -> dict[str, tuple[int, int]]:
    """Count cells that integer programs pin down, of how many, in small cities."""
    totals = {}
    for publisher, is_exact in ((Naive(), True), (Platform(), False)):
        narrow = cells = 0
        for seed in seeds:
            small = make_world(seed, towns=2, communities=2, grids=3, sizes=(1, 4, 9, 15, 40, 60))
            found = exposed(small.tree, publisher.publish(small), is_exact=is_exact)
            narrow += len(found)
            cells += (len(MEASURES) + 4) * len(small.tree.order)
        totals[publisher.name] = (narrow, cells)
    return totals


if __name__ == "__main__":
    sys.exit(main())
