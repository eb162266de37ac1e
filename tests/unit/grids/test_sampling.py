"""The draw of a sample: the same for everybody, and each case as likely as any other."""

import subprocess
from collections import Counter
from random import Random

from grids.incidents.sampling import drawn, rank, seed_of, size_of
from tests.support.depth import IS_FULL

HEAD = "wangge audit head\nkind: day\nday: 2026-03-04\n"
NUMBERS = [f"20260304-{k:06d}" for k in range(1, 61)]
DRAWS = 40_000 if IS_FULL else 4_000


def test_the_draw_does_not_ask_in_which_order_cases_come() -> None:
    seed = seed_of(HEAD)
    mixed = list(NUMBERS)
    Random(4).shuffle(mixed)

    assert drawn(seed, mixed) == drawn(seed, NUMBERS)
    assert len(drawn(seed, NUMBERS)) == 3
    assert [size_of(n) for n in (0, 1, 19, 20, 21, 100, 101)] == [0, 1, 1, 1, 2, 5, 6]


def test_anybody_draws_the_same_with_the_tools_of_any_machine() -> None:
    script = """
    seed=$(printf '%s' "$HEAD" | sha256sum | cut -d' ' -f1)
    for number in $NUMBERS; do
      printf '%s %s' "$seed" "$number" | sha256sum | sed "s/-$/$number/"
    done | sort | head -n 3 | sed 's/.* //'
    """
    words = {"HEAD": HEAD, "NUMBERS": " ".join(NUMBERS), "PATH": "/usr/bin:/bin"}
    # `printf` keeps the last newline: the shell's substitution would not.
    done = subprocess.run(["bash", "-c", script], env=words, capture_output=True, text=True,
                          check=True)  # fmt: skip

    assert tuple(done.stdout.split()) == drawn(seed_of(HEAD), NUMBERS)


def test_every_case_is_drawn_equally_often() -> None:
    """Chi-squared over many days: 59 degrees of freedom, beyond 98.3 once in a thousand."""
    counts: Counter[str] = Counter()
    pairs = 0
    for day in range(DRAWS):
        found = drawn(seed_of(f"{HEAD}{day}"), NUMBERS)
        counts.update(found)
        pairs += {NUMBERS[0], NUMBERS[1]} <= set(found)

    expected = DRAWS * 3 / 60
    chi = sum((counts[number] - expected) ** 2 / expected for number in NUMBERS)
    # Drawn without putting back, the counts of a day lean on each other: the figure is scaled.
    assert chi / (1 - 3 / 60) * (59 / 60) < 98.3
    # Two cases side by side are drawn together as often as any two: 3 * 2 / (60 * 59).
    assert abs(pairs - DRAWS * 6 / 3540) < 4 * (DRAWS * 6 / 3540) ** 0.5
    assert rank(seed_of(HEAD), NUMBERS[0]) != rank(seed_of(HEAD + "x"), NUMBERS[0])
