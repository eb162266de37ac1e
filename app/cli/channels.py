"""Commands of the channels: other systems, and the comparison of the tables."""

import csv
from datetime import UTC, datetime
from pathlib import Path

import click

from app.config import Settings


@click.group("channel")
def channel() -> None:
    """Other systems that send cases."""


@channel.command("system")
@click.argument("code")
@click.option("--name-zh", required=True)
@click.option("--name-en", required=True)
@click.option("--transfer", "is_transfer", is_flag=True, help="A person acknowledges each case.")
@click.option("--receiver", help="Receiver of the outbox that is told of each step.")
@click.option("--category", default="", help="Of cases that name none: matter:03001.")
@click.option("--within", "ack_s", default=60, show_default=True, help="Seconds to acknowledge in.")
def system(
    code: str, name_zh: str, name_en: str, receiver: str | None, category: str, ack_s: int,
    *, is_transfer: bool,
) -> None:  # fmt: skip
    """Add another system or change one, and print a new token of it, shown now only."""
    from app import installation
    from grids.channels.systems import NewSystem, register

    kind = "transfer" if is_transfer else "system"
    wanted = NewSystem(code, name_zh, name_en, kind, receiver, category, ack_s)
    with installation.owner_session(Settings.load()) as session:
        token = register(session, wanted, now=datetime.now(UTC))
    click.echo(f"{code}: kept; POST /api/channels/{code}/cases with this token, good for a year:")
    click.echo(token)


@channel.command("categories")
@click.argument("code")
@click.argument("table", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def categories(code: str, table: Path) -> None:
    """Replace the categories of a system by a table: its word, comma, ours."""
    from app import installation
    from grids.channels.systems import map_categories

    with table.open(encoding="utf-8-sig", newline="") as file:
        lines = {row[0].strip(): row[1].strip() for row in csv.reader(file) if len(row) > 1}
    with installation.owner_session(Settings.load()) as session:
        click.echo(f"{map_categories(session, code, lines)} categories")


@channel.command("off")
@click.argument("code")
def off(code: str) -> None:
    """End what a system may do; its cases stay."""
    from app import installation
    from grids.channels.systems import switch_off

    with installation.owner_session(Settings.load()) as session:
        switch_off(session, code, now=datetime.now(UTC))
    click.echo(f"{code}: off")


@click.command("reconcile")
@click.option("--all", "everything", is_flag=True, help="Every case and every file.")
def reconcile(*, everything: bool) -> None:
    """Hold the tables against each other; ends with 1 where something differs, mends nothing."""
    from app import installation
    from grids.watch.reconcile import keep
    from grids.watch.reconcile import reconcile as compare

    settings = Settings.load()
    with installation.owner_engine(settings) as engine:
        report = compare(engine, settings.blob_dir, now=datetime.now(UTC), everything=everything)
    with installation.owner_session(settings) as session:
        keep(session, report)
    click.echo(f"{'check':<16}{'looked at':>12}{'bad':>8}  first")
    for check in report.checks:
        click.echo(f"{check.name:<16}{check.looked:>12}{check.bad:>8}  {', '.join(check.first)}")
    click.echo(f"{'clean' if report.is_clean else 'DIFFERS'} in {report.took_s:.1f} s")
    if not report.is_clean:
        raise SystemExit(1)
