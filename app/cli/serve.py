"""Commands that start, stop and watch the platform."""

import logging
import time
from functools import partial
from pathlib import Path

import click

from app.cli import people
from app.config import Settings, without_password

BEGAN = time.monotonic()


def step(text: str) -> None:
    """Print one line of progress with the seconds since the start."""
    click.echo(f"[{time.monotonic() - BEGAN:5.1f} s] {text}", err=True)


@click.command()
@click.option("--from", "extract", type=click.Path(exists=True, dir_okay=False, path_type=Path),
              help="Show the city of an OpenStreetMap extract (.osm.pbf) instead.")  # fmt: skip
@click.option("--scale", default=0.02, show_default=True, help="Size of the simulated city.")
@click.option("--seed", default=1, show_default=True, help="Which simulated city.")
def demo(extract: Path | None, scale: float, seed: int) -> None:
    """Show a city: database, map, people and cases, ready to sign in."""
    from app import demo as service

    shown = service.show(Settings.load(), extract=extract, scale=scale, seed=seed, progress=step)
    for line in service.summary(shown):
        click.echo(line)


@click.command()
def up() -> None:
    """Start the database and all processes; wait until they answer."""
    from app import installation, processes

    settings = Settings.load()
    installation.prepare(settings, step)
    ports, was_down = processes.up(installation.with_city_zone(settings))
    if was_down and ports.web != settings.web_port:
        click.echo(f"port {settings.web_port} is taken, so web listens on {ports.web}")
    click.echo(f"{'started' if was_down else 'running'}: http://{settings.bind}:{ports.web}")
    people.say_who_is_missing(settings)


@click.command()
@click.option("--tests", "only_tests", is_flag=True, help="Only the database of the tests.")
def down(*, only_tests: bool) -> None:
    """Stop all processes and the private databases, also that of the tests."""
    from app import cluster, processes

    settings = Settings.load()
    stopped = [] if only_tests else processes.stop_all(settings)
    is_ours = settings.is_private_cluster and not only_tests
    if is_ours and cluster.stop(cluster.private(settings)):
        stopped.append("database")
    if cluster.stop(cluster.throw_away(settings.var_dir)):
        stopped.append("database of the tests")
    click.echo(f"stopped: {', '.join(stopped)}" if stopped else "nothing was running")


@click.command()
def status() -> None:
    """Show what runs, since when and where."""
    from app import processes

    rows = processes.status(Settings.load())
    click.echo(f"{'process':<12}{'pid':>8}{'since':>10}{'restarts':>10}{'MB':>7}  address")
    for row in rows:
        since = f"{row.running_s / 60:.0f} min" if row.pid else "down"
        pid = row.pid or "-"
        click.echo(
            f"{row.name:<12}{pid:>8}{since:>10}{row.restarts:>10}{row.memory_mb:>7}  {row.address}"
        )
    if any(row.pid is None for row in rows):
        raise SystemExit(1)


@click.command()
def doctor() -> None:
    """Look at the machine, the settings and the data; say what to mend and how."""
    from app import doctor as service

    findings = service.examine()
    for finding in findings:
        mark = "ok  " if finding.is_good else "BAD "
        click.echo(f"{mark}{finding.subject}: {finding.found}")
        if not finding.is_good:
            click.echo(f"    next step: {finding.next_step}")
    if not all(finding.is_good for finding in findings):
        raise SystemExit(1)


@click.command()
@click.option("--url", "role", type=click.Choice(["admin", "owner", "app", "worker", "tiles"]),
              help="Print the address for one role, with its password, and nothing else.")  # fmt: skip
def db(role: str | None) -> None:
    """Start only the database and print its addresses."""
    from app import installation

    settings = Settings.load()
    installation.start_database(settings)
    urls = {
        "admin": settings.admin_url,
        "owner": settings.owner_url,
        "app": settings.database_url,
        "worker": settings.worker_url,
        "tiles": settings.tiles_url,
    }
    if role:
        click.echo(urls[role])
        return
    for name, url in urls.items():
        click.echo(f"{name:8}{without_password(url)}")


@click.command()
def worker() -> None:
    """Run background jobs and deliver what is told outside, until stopped."""
    from app import installation
    from app.courier import courier_of
    from app.keys import ring_of, signer_of
    from grids import jobs
    from grids.secrets.rotation import Rotator

    settings = Settings.load()
    _log_to_stderr(settings)
    jobs.run_worker(
        settings.worker_url,
        settings.blob_dir,
        export_dir=settings.exports_dir,
        heads_dir=settings.heads_dir,
        signer=signer_of(settings),
        certificates_dir=settings.var_dir / "certificates",
        beside=courier_of(settings),
        rotator=Rotator(ring_of(settings), partial(installation.owner_engine, settings)),
    )


@click.command()
def sealer() -> None:
    """Order committed events, seal them and wake live clients, until stopped."""
    from app.auditing import notary_of
    from grids import feed

    settings = Settings.load()
    _log_to_stderr(settings)
    feed.run_sealer(settings.worker_url, notary=notary_of(settings))


@click.command()
def supervise() -> None:
    """Keep web, live, worker and sealer running, until stopped."""
    from app import processes, supervisor

    settings = Settings.load()
    _log_to_stderr(settings)
    supervisor.supervise(settings, processes.programs())


def _log_to_stderr(settings: Settings) -> None:
    """Let a long-running process log at the level of the settings."""
    logging.getLogger().setLevel(settings.log_level)
