"""Commands on the audit log: prove that it is whole, sign its head, let old months go."""

from datetime import UTC, date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from app.config import Settings

DAY = click.DateTime(["%Y-%m-%d"])


@click.group("audit")
def audit_group() -> None:
    """The audit log: verify, sign, retire."""


@audit_group.command("verify")
@click.option("--from", "from_on", type=DAY, help="Only what was sealed from this day on.")
@click.option("--to", "to_on", type=DAY, help="Only what was sealed before this day.")
@click.option("--heads", type=click.Path(exists=True, file_okay=False, path_type=Path),
              help="Folder of signed heads; by default the one they are written to.")  # fmt: skip
@click.option("--url", envvar="WANGGE_AUDITOR_URL", help="Database to read, such as a copy.")
def verify(
    from_on: datetime | None, to_on: datetime | None, heads: Path | None, url: str | None
) -> None:
    """Compare every row with its seal and the chain with its signed heads; name the first fault."""
    from app import auditing

    settings = Settings.load()
    zone = ZoneInfo(settings.city_zone)
    found = auditing.verify(
        settings,
        url=url,
        heads_dir=heads or settings.heads_dir,
        from_at=from_on.replace(tzinfo=zone) if from_on else None,
        to_at=to_on.replace(tzinfo=zone) if to_on else None,
    )
    for line in found.lines:
        click.echo(line)
    if not found.is_whole:
        raise SystemExit(1)


@audit_group.command("head")
@click.option("--to", "folder", type=click.Path(file_okay=False, path_type=Path),
              help="Folder to write to; by default the one of the daily heads.")  # fmt: skip
def head(folder: Path | None) -> None:
    """Sign the present head of the chain and write it as a small file to be carried away."""
    from app import auditing

    settings = Settings.load()
    click.echo(str(auditing.sign_head(settings, folder or settings.heads_dir)))


@audit_group.command("retire")
@click.option("--before", type=DAY, required=True, help="Months that ended before this day.")
def retire(before: datetime) -> None:
    """Detach the months whose time of keeping (180 days) is over; their tables stay by themselves."""
    from app import auditing

    settings = Settings.load()
    day = date(before.year, before.month, before.day)
    done = auditing.retire(settings, before=day, now=datetime.now(UTC))
    for month in done:
        click.echo(f"{month.table}: {month.rows} rows, to be archived and dropped")
    click.echo(f"{len(done)} months detached")
