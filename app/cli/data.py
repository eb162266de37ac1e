"""Commands that work on the data."""

from pathlib import Path

import click

from app.cli.serve import step
from app.config import Settings


@click.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    from app import installation

    installation.prepare(Settings.load(), step, is_forced=True)
    click.echo("the schema is up to date")


@click.command()
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
def duplicates(file: Path) -> None:
    """Write pairs of enterprises that are probably one to a CSV, side by side."""
    from sqlalchemy.orm import Session

    from app import installation
    from grids.db import engine
    from grids.matching import finding

    settings = Settings.load()
    installation.start_database(settings)
    with Session(engine(settings.owner_url)) as session, file.open("w", newline="") as out:
        count = finding.write(out, finding.duplicates(session))
    click.echo(f"{count} pairs in {file}")


@click.group("import")
def import_() -> None:
    """Read data of others into the registers."""


@import_.command("osm")
@click.argument("extract", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--force", is_flag=True, help="Also where cases of the present city are lost.")
def import_osm(extract: Path, *, force: bool) -> None:
    """Build the city from an OpenStreetMap extract (.osm.pbf)."""
    from app import installation

    settings = Settings.load()
    installation.prepare(settings, step)
    for line in installation.import_city(settings, extract, step, force=force):
        click.echo(line)


@click.group(invoke_without_command=True)
@click.option("--scale", default=0.02, show_default=True, help="1.0 is a city of 2,080,000 people.")
@click.option("--seed", default=1, show_default=True, help="Which city.")
@click.option("--years", default=1, show_default=True, help="How many years of cases.")
@click.option("--replace", is_flag=True, help="Instead of the present city and all its data.")
@click.pass_context
def synth(context: click.Context, scale: float, seed: int, years: int, *, replace: bool) -> None:
    """Build a simulated city. One that was cut off goes on with the same scale, seed and years."""
    if context.invoked_subcommand is not None:
        return
    from app import installation

    settings = Settings.load()
    installation.prepare(settings, step)
    installation.build_city(
        settings, scale=scale, seed=seed, years=years, progress=step, replace=replace
    )
    installation.enliven(settings, seed=seed, progress=step)


@synth.command("feeds")
@click.option("--out", required=True, type=click.Path(file_okay=False, path_type=Path),
              help="Folder for the files and their manifest.")  # fmt: skip
@click.option("--day", default=1, show_default=True, type=click.IntRange(min=1), help="Which day.")
@click.option("--seed", default=1, show_default=True, help="Which feeds.")
@click.option("--introduce", is_flag=True, help="Set the departments up as sources of imports.")
def feeds(out: Path, day: int, seed: int, *, introduce: bool) -> None:
    """Write a day's dirty files of fifteen departments, drawn from the city that is there."""
    from app import installation

    settings = Settings.load()
    installation.start_database(settings)
    report = installation.write_feeds(
        settings, out, day=day, seed=seed, introduce=introduce, progress=step
    )
    click.echo(f"{sum(report.rows.values()):,} records, {sum(report.planted.values()):,} faults"
               f" planted, told in {out / 'manifest.json'}")  # fmt: skip


@click.group()
def codes() -> None:
    """Code lists: categories, departments, limits, workdays."""


FOLDER = click.argument(
    "folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path)
)


@codes.command("load")
@FOLDER
def load(folder: Path | None) -> None:
    """Load data/codes, or a FOLDER of the city, into the database; again changes nothing."""
    from app import installation

    settings = Settings.load()
    installation.start_database(settings)
    done = installation.load_codes(settings, folder)
    click.echo(f"code lists loaded, {done.changes} rows changed" if done.changes else
               "code lists loaded, nothing changed")  # fmt: skip


@codes.command("diff")
@FOLDER
def diff(folder: Path | None) -> None:
    """Say row by row what a load would change, in both languages.

    Ends with 1 where there is something to change, with 0 where there is nothing.
    """
    from app import installation
    from app.cli.words import in_both

    settings = Settings.load()
    installation.start_database(settings)
    changes = installation.plan_codes(settings, folder)
    for change in changes:
        click.echo(f"{in_both(f'codes.what_{change.what}')}  {change.table} {change.word}"
                   f"  {change.name_zh} / {change.name_en}")  # fmt: skip
        for column, (before, after) in change.fields.items():
            click.echo(f"    {column}: {before} -> {after}")
    count = sum(change.what != "kept" for change in changes)
    click.echo(f"{in_both('codes.rows_differ')}: {count}")
    if count:
        raise SystemExit(1)


@click.command("verify-store")
def verify_store() -> None:
    """Compare every stored photo with its hash and every sealed event with its seal."""
    from app import installation

    settings = Settings.load()
    installation.start_database(settings)
    problems = installation.verify_store(settings)
    for problem in problems:
        click.echo(problem)
    click.echo(f"{len(problems)} problems found" if problems else "photos and events are whole")
    if problems:
        raise SystemExit(1)
