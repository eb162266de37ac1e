"""Commands about personal data: the inventory, and what is kept no longer."""

import csv
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import click

from app.config import Settings


@click.command("inventory")
@click.option("--format", "form", type=click.Choice(("markdown", "csv")), default="markdown")
def inventory(form: str) -> None:
    """Print every column with level, purpose, ground, retention and who may see it."""
    import grids.models  # noqa: F401 - every table is known
    from grids import inventory as held

    if form == "csv":
        csv.writer(sys.stdout).writerows(held.csv_rows())
    else:
        click.echo(held.markdown(), nl=False)


@click.group("retention")
def retention() -> None:
    """What is kept how long, and the certificates of what went."""


@retention.command("rules")
def rules() -> None:
    """Print the rules: what goes when."""
    from grids.retention import RULES

    for rule in RULES:
        click.echo(f"{rule.name}: {rule.about}")


@retention.command("run")
@click.argument("names", nargs=-1)
def run(names: tuple[str, ...]) -> None:
    """Remove what is kept no longer, now instead of at night; print the certificates."""
    from app import installation
    from app.keys import signer_of
    from grids.blobs import Store
    from grids.retention import Place, run_all

    settings = Settings.load()
    place = Place(Store(settings.blob_dir), settings.var_dir / "certificates")
    with installation.owner_engine(settings) as engine:
        for made in run_all(
            engine, signer_of(settings), place, now=datetime.now(UTC), only=names or None
        ):
            click.echo(f"{made.rule}: {made.body['counts']} {made.id}")


@retention.command("verify")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def verify(file: Path) -> None:
    """Say whether a certificate was signed by this installation and is unchanged."""
    from app.keys import signer_of
    from grids.certificates import is_genuine

    document = json.loads(file.read_text())
    if not is_genuine(document, signer_of(Settings.load()).public_keys()):
        raise click.ClickException("the certificate is not genuine")
    click.echo(
        f"genuine: {document['certificate']['rule']} of {document['certificate']['made_at']}"
    )
