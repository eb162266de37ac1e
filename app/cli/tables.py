"""Commands that read tables of departments into the registers."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from app.cli.data import import_
from app.config import Settings

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from grids.importing.batches.models import ImportBatch

#: Files of a city's own administrator lie within its areas, whichever they are.
EVERYWHERE = ("",)


@import_.command("table")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--source", required=True, help="Code of the feed, such as market-firms.")
@click.option("--target", default="", help="Register; needed when the source is new.")
@click.option("--name", default="", help="What people call a new source.")
@click.option("--map", "maps", multiple=True, help="FIELD=COLUMN, where the names do not say it.")
@click.option("--set", "constants", multiple=True, help="FIELD=VALUE for every row.")
@click.option("--crs", default="", help="EPSG:n, gcj02 or bd09; else as the file states.")
@click.option("--sheet", default="", help="Sheet, layer or table; else the first.")
@click.option("--encoding", default="", help="Of a text table; else guessed.")
@click.option("--mode", type=click.Choice(["good", "all"]), default="good", show_default=True,
              help="Take the good rows, or all rows or none.")  # fmt: skip
@click.option("--match", type=click.Choice(["likely", "exact"]), default="likely", show_default=True,
              help="Lead rows to entries by their likeness too, or by codes and ids alone.")  # fmt: skip
@click.option("--errors", type=click.Path(dir_okay=False, path_type=Path),
              help="Write the rows that were not taken here, with the reasons.")  # fmt: skip
@click.option("--check", "is_check", is_flag=True, help="Change nothing.")
def import_table(file: Path, source: str, target: str, name: str, **options: Any) -> None:
    """Read a table of a department into a register: check it, then take its good rows over.

    Ends with 1 where the file or one of its rows was not taken.
    """
    from grids.blobs import Store
    from grids.importing.batches import running, service

    settings = Settings.load()
    store = Store(settings.blob_dir)
    with _engine(settings) as engine:
        batch_id = _send(engine, store, file, source=source, target=target, name=name, **options)
        running.run_look(engine, store, batch_id)
        _require(engine, batch_id, "looked")
        with _batch(engine, batch_id) as (session, batch):
            service.ask_check(session, batch, _chosen(batch, **options))
        running.run_check(engine, store, batch_id, now=_now())
        batch = _require(engine, batch_id, "checked")
        if options["errors"] is not None:
            _write_errors(engine, batch_id, options["errors"])
        if not options["is_check"]:
            with _batch(engine, batch_id) as (session, found):
                service.ask_commit(session, found, _operator(), now=_now())
            _commit(engine, batch_id)
            batch = _require(engine, batch_id, "committed")
    _tell(batch)
    if batch.rows_rejected + batch.rows_held:
        raise SystemExit(1)


@import_.command("resume")
@click.argument("batch_id", type=int)
def resume(batch_id: int) -> None:
    """Go on with a batch that was cut off."""
    with _engine(Settings.load()) as engine:
        _commit(engine, batch_id)
        _tell(_require(engine, batch_id, "committed"))


@import_.command("undo")
@click.argument("batch_id", type=int)
def undo(batch_id: int) -> None:
    """Take a batch back as far as nobody has changed its entries since."""
    from grids.importing.batches import running, service

    with _engine(Settings.load()) as engine:
        with _batch(engine, batch_id) as (session, batch):
            service.ask_undo(session, batch, _operator(), now=_now())
        running.run_undo(engine, batch_id)
        done = _require(engine, batch_id, "undone")
    click.echo(f"batch {batch_id}: {done.rows_undone} rows taken back, {done.rows_kept} stay")


def _send(
    engine: "Engine", store: Any, file: Path, *, source: str, target: str, name: str, **options: Any
) -> int:
    from dataclasses import replace

    from gis.tables import ReadAs
    from grids.importing.batches import service
    from grids.importing.batches.settings import settings_of

    from sqlalchemy.orm import Session  # isort: skip

    operator = _operator()
    with Session(engine) as session, session.begin():
        feed = service.known_source(session, operator, source) or service.make_source(
            session, operator, code=source, name=name or source, target=target
        )
        if target and feed.target != target:
            raise click.ClickException(f"{source} brings {feed.target}, not {target}")
        batch = service.start(
            session, store, operator, feed, file.read_bytes(), name=file.name, now=_now()
        )
        wanted = replace(
            settings_of(batch.settings), crs=options["crs"],
            read=ReadAs(encoding=options["encoding"], sheet=options["sheet"]),
        )  # fmt: skip
        service.settle(session, batch, wanted)
        return batch.id


def _chosen(batch: "ImportBatch", **options: Any) -> Any:
    from dataclasses import replace

    from grids.importing.batches.settings import Given, settings_of

    settings = settings_of(batch.settings)
    mapping = dict(settings.mapping)
    for text in options["maps"]:
        field, _, column = text.partition("=")
        mapping[field] = Given(column=column)
    for text in options["constants"]:
        field, _, value = text.partition("=")
        mapping[field] = Given(value=value)
    return replace(settings, mapping=mapping, mode=options["mode"], match=options["match"])


def _commit(engine: "Engine", batch_id: int) -> None:
    from grids.importing.batches import running

    running.run_commit(
        engine, batch_id, progress=lambda done: click.echo(f"{done} rows written", err=True)
    )


def _require(engine: "Engine", batch_id: int, state: str) -> "ImportBatch":
    """Return the batch in the state that it must have now; say why it is not."""
    from app.cli.words import text_of

    with _batch(engine, batch_id) as (session, batch):
        if batch.state != state:
            why = dict(batch.refusal)
            words = text_of(f"error.{why.get('code')}", why) or str(batch.state)
            more = text_of(f"import.why.{why.get('why')}", why)
            raise click.ClickException(f"batch {batch_id}: {words} {more}".strip())
        session.expunge(batch)
        kept: ImportBatch = batch
        return kept


def _write_errors(engine: "Engine", batch_id: int, path: Path) -> None:
    from app.cli.words import text_of
    from grids.importing.batches import reports

    with _batch(engine, batch_id) as (session, batch):
        heads = tuple(text_of(f"import.report.{name}", {}) for name in
                      ("row", "column", "value", "rule", "reason"))  # fmt: skip
        with path.open("w", encoding="utf-8", newline="") as file:
            for line in reports.error_file(
                session, batch, heads,  # type: ignore[arg-type] # five of them
                lambda fault: text_of(f"import.rule.{fault['rule']}", fault),
            ):  # fmt: skip
                file.write(line)


def _tell(batch: "ImportBatch") -> None:
    click.echo(
        f"batch {batch.id}: {batch.rows_total} rows, {batch.rows_new} new, {batch.rows_changed}"
        f" changed, {batch.rows_same} unchanged, {batch.rows_rejected} rejected,"
        f" {batch.rows_held} held; {batch.rows_stated} say otherwise than what holds"
    )


@contextmanager
def _engine(settings: Settings) -> "Iterator[Engine]":
    from app import installation

    installation.start_database(settings)
    with installation.owner_engine(settings) as engine:
        yield engine


@contextmanager
def _batch(engine: "Engine", batch_id: int) -> Iterator[tuple[Any, Any]]:
    from sqlalchemy.orm import Session

    from grids.importing.batches import service

    with Session(engine) as session, session.begin():
        yield session, service.batch_of(session, _operator(), batch_id)


def _operator() -> Any:
    """Act as the installation's operator, who is no account and sees every area."""
    from grids.accounts import Actor

    return Actor(0, "operator", frozenset(), frozenset(), EVERYWHERE)


def _now() -> Any:
    from datetime import UTC, datetime

    return datetime.now(UTC)
