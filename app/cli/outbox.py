"""Commands of the outbox: receivers, how far their messages got, sending again."""

from datetime import UTC, datetime

import click

from app.config import Settings


@click.group("outbox")
def outbox() -> None:
    """What is told outside: receivers and their messages."""


@outbox.command("status")
def status() -> None:
    """Print each receiver with its messages by state."""
    from app import installation
    from grids.outbox.state import states

    with installation.owner_session(Settings.load()) as session:
        for one in states(session):
            counts = " ".join(f"{name}={n}" for name, n in sorted(one.counts.items())) or "-"
            error = f"  {one.receiver.last_error}" if one.receiver.failures else ""
            oldest = f"  waiting since {one.oldest_at:%F %T}Z" if one.oldest_at else ""
            is_on = "" if one.receiver.is_active else "  off"
            click.echo(f"{one.receiver.code}: {counts}{is_on}{oldest}{error}")


@outbox.command("receiver")
@click.argument("code")
@click.option("--door", required=True, help="Id in WANGGE_OUTGOING.")
@click.option("--path", default="", help="Path behind the door.")
@click.option("--name-zh", required=True)
@click.option("--name-en", required=True)
@click.option("--secret", prompt=True, hide_input=True, help="Signs every call.")
def receiver(code: str, door: str, path: str, name_zh: str, name_en: str, secret: str) -> None:
    """Add a receiver by webhook, or change one."""
    from app import installation
    from app.keys import vault_of
    from grids.outbox.state import keep_receiver

    settings = Settings.load()
    with installation.owner_session(settings) as session:
        keep_receiver(
            session, vault_of(settings), code, door=door, path=path, name_zh=name_zh,
            name_en=name_en, secret=secret,
        )  # fmt: skip
    click.echo(f"{code}: kept")


@outbox.command("retry")
@click.argument("code")
def retry(code: str) -> None:
    """Send at once what waits for a receiver or was given up."""
    from app import installation
    from grids.outbox import state

    with installation.owner_session(Settings.load()) as session:
        click.echo(f"{state.retry(session, code, actor_id=None, now=datetime.now(UTC))} messages")


@outbox.command("give-up")
@click.argument("code")
@click.option("--reason", required=True)
def give_up(code: str, reason: str) -> None:
    """Give up what waits for a receiver, with the reason."""
    from app import installation
    from grids.outbox import state

    now = datetime.now(UTC)
    with installation.owner_session(Settings.load()) as session:
        click.echo(f"{state.give_up(session, code, reason, actor_id=None, now=now)} messages")
