"""Commands that work on the key ring."""

from datetime import UTC, datetime
from typing import Literal

import click

from app.cli.serve import step
from app.config import Settings

KINDS = ("data", "index", "signing")


@click.group()
def keys() -> None:
    """Keys of encrypted columns, blind indexes and signatures."""


@keys.command("status")
def status() -> None:
    """Show the keys of the ring and how many values stand on each."""
    from app import installation
    from app.keys import ring_of
    from grids.secrets import Vault
    from grids.secrets.rotation import left, usage

    settings = Settings.load()
    ring = ring_of(settings).ring()
    click.echo(f"suite {ring.provider}")
    for kind in KINDS:
        held = getattr(ring, kind)
        others = sorted(set(held.keys) - {held.current})
        since = f" since {held.since:%Y-%m-%d %H:%M} UTC" if held.since else ""
        click.echo(f"{kind}: key {held.current} is current{since}; others: {others or 'none'}")
    with installation.owner_engine(settings) as engine, engine.connect() as connection:
        for part in usage(connection):
            made = f"{part.kind} key {part.key_id} ({part.provider})"
            click.echo(f"  {part.table}.{part.column}: {part.rows} on {made}")
        click.echo(f"{left(connection, Vault(ring))} rows are not on the current keys")


@keys.command("add")
@click.argument("kinds", nargs=-1, type=click.Choice(KINDS))
def add(kinds: tuple[Literal["data", "index", "signing"], ...]) -> None:
    """Draw new keys and make them current; by default for data and index."""
    from app.keys import ring_of

    ring = ring_of(Settings.load())
    for kind in kinds or ("data", "index"):
        number = ring.add(kind, at=datetime.now(UTC))
        click.echo(f"{kind}: key {number} is current")
    click.echo("back up secrets.json now, apart from the database; then ./wangge keys rotate")


@keys.command("rotate")
@click.option("--provider", type=click.Choice(("intl", "gm")), help="Change the suite first.")
@click.option("--batch", default=500, show_default=True, help="Rows of one transaction.")
def rotate(*, provider: str | None, batch: int) -> None:
    """Bring all rows to the current keys, while people work; start it again after any stop."""
    from app import installation
    from app.keys import ring_of
    from grids.secrets import Vault
    from grids.secrets.rotation import reseal

    settings = Settings.load()
    ring = ring_of(settings)
    if provider and ring.ring().provider != provider:
        ring.use_provider(provider, at=datetime.now(UTC))
    with installation.owner_engine(settings) as engine:
        done = reseal(
            engine, Vault(ring), batch=batch, progress=lambda name, rows: step(f"{name}: {rows}")
        )
    click.echo(f"{done.rows} rows brought to the current keys")
    for table, ids in done.broken.items():
        click.echo(f"{table}: {len(ids)} rows do not open: {', '.join(ids[:10])}")
    if done.broken:
        raise SystemExit(1)


@keys.command("retire")
@click.argument("kind", type=click.Choice(("data", "index")))
@click.argument("key_id", type=int)
def retire(kind: Literal["data", "index"], key_id: int) -> None:
    """Forget a key once nothing is left on it; backups made before still need it."""
    from app import installation
    from app.keys import ring_of
    from grids.secrets import rotation

    settings = Settings.load()
    with installation.owner_engine(settings) as engine:
        rotation.retire(
            engine,
            ring_of(settings),
            kind,
            key_id,
            now=datetime.now(UTC),
        )
    click.echo(f"{kind} key {key_id} is forgotten; keep it with the backups that need it")
