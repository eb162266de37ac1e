"""`python -m bench NAME... [--scale S] [--json]`: print a table or one object per line."""

import importlib
import json
from collections.abc import Iterable, Sequence

import click

from bench import NAMES, Result

HEAD = ("name", "scale", "ours", "baseline", "unit", "ratio", "goal", "")
WIDTHS = (34, 7, 14, 14, 10, 8, 10, 8)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(NAMES))
@click.option("--scale", default=0.02, show_default=True)
@click.option("--json", "is_json", is_flag=True)
def main(names: Sequence[str], scale: float, *, is_json: bool) -> None:
    """Time the named areas, by default all."""
    if not is_json:
        click.echo(_line(HEAD))
    for name in names or NAMES:
        for result in _run(name, scale):
            click.echo(json.dumps(as_object(result)) if is_json else _line(_cells(result)))


def _run(name: str, scale: float) -> Iterable[Result]:
    results: list[Result] = importlib.import_module(f"bench.{name}").run(scale)
    return results


def as_object(result: Result) -> dict[str, object]:
    """Return the fields that `--json` prints."""
    return {
        "name": result.name,
        "scale": result.scale,
        "ours": result.ours,
        "baseline": result.baseline,
        "unit": result.unit,
        "ratio": round(result.ratio, 4),
        "goal": result.goal,
        "better": result.better,
    }


def _cells(result: Result) -> tuple[str, ...]:
    sign = ">=" if result.better == "higher" else "<="
    return (
        result.name,
        f"{result.scale:g}",
        f"{result.ours:,.4g}",
        f"{result.baseline:,.4g}",
        result.unit,
        f"{result.ratio:.2f}",
        f"{sign} {result.goal:g}",
        "reached" if result.is_reached else "MISSED",
    )


def _line(cells: Sequence[str]) -> str:
    return "".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)).rstrip()


if __name__ == "__main__":
    main()
