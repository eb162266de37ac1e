"""Commands of the duty grids: draw a town's anew, and switch what is due."""

from datetime import UTC, datetime

import click

from app.config import Settings


@click.group("grids")
def grids_group() -> None:
    """Duty grids with a history."""


@grids_group.command("plan")
@click.argument("town")
@click.option("--name", default="", help="What the plan is called.")
@click.option("--anew", is_flag=True, help="From nothing, not from today's grids.")
@click.option("--grids", type=int, help="How many grids the town shall have.")
@click.option("--households", type=int, help="About how many households in each grid.")
@click.option("--move-cost", default=0.3, show_default=True,
              help="0: households may move; 1: only where it helps much.")  # fmt: skip
@click.option("--keep", multiple=True, metavar="CODE", help="A grid that stays as it is.")
def plan(
    town: str, name: str, grids: int | None, households: int | None, move_cost: float,
    keep: tuple[str, ...], *, anew: bool,
) -> None:  # fmt: skip
    """Draw the grids of a TOWN (9 digits) as a plan; edit and approve it at /data/grids/plans."""
    from app import installation
    from grids.accounts import Actor
    from grids.regrid import jobs, plans
    from grids.regrid.designer import design
    from grids.regrid.wishes import Wishes

    wishes = Wishes("anew" if anew else "today", grids, households, move_cost, keep)
    now = datetime.now(UTC)
    everywhere = Actor(0, "", frozenset(), frozenset(), ("",))
    with installation.owner_session(Settings.load()) as session:
        on = jobs.city_day(session, now) or now.date()
        made = plans.ask(session, everywhere, town, name or town, wishes, on=on, now=now)
        plans.draft(session, made, design, now=now)
        before, after = made.figures["before"], made.figures["after"]
        click.echo(f"plan {made.id}: {before['grids']} -> {after['grids']} grids")
        click.echo(f"most work over mean {before['hours_ratio']:.2f} -> {after['hours_ratio']:.2f}")
        click.echo(f"compactness {before['compactness']:.2f} -> {after['compactness']:.2f}")
        click.echo(
            f"{made.figures['moved_households']} of {made.figures['households']} households move"
        )


@grids_group.command("switch")
def switch() -> None:
    """Switch towns whose approved plan has come to its day, as the worker does each minute."""
    from sqlalchemy.orm import Session

    from app import installation
    from grids.regrid import jobs

    with installation.owner_engine(Settings.load()) as engine, Session(engine) as session:
        done = jobs.switch_due(session, datetime.now(UTC))
    for one in done:
        click.echo(
            f"{one.on}: {len(one.opened)} grids redrawn, {len(one.made)} new, {len(one.ended)}"
            f" ended; {sum(one.linked.values())} rows linked, {one.cases} open cases handed over"
        )
    if not done:
        click.echo("nothing is due")
