"""Commands on exports: from a leaked sample to the person who took it."""

from pathlib import Path

import click

from app.config import Settings


@click.group("exports")
def exports_group() -> None:
    """Files that left the platform."""


@exports_group.command("trace")
@click.argument("sample", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--crs", default="", help="System of coordinates in metres, such as EPSG:4549.")
def trace(sample: Path, crs: str) -> None:
    """Name the export that a leaked file, or a part of it, was taken from."""
    from app import installation
    from grids import exports

    settings = Settings.load()
    found_in = exports.read_sample(sample, crs=crs)
    with installation.owner_session(settings) as session:
        found = exports.trace(session, found_in)
    click.echo(
        f"{found.places} places and {found.instants} times, compared with {found.compared} exports"
    )
    for one in found.suspects:
        click.echo(
            f"{one.number}  {one.recipient}  {one.layer}  {one.asked_at:%Y-%m-%d %H:%M %Z}"
            f"  fits {one.places} places, {one.instants} times;"
            f" probability of error {one.error_probability:.0e}"
        )
    if not found.suspects:
        click.echo("the sample fits no marked export")
        raise SystemExit(1)
