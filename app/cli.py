"""The `wangge` command: each command parses, calls one service and echoes."""

import click

from app.config import Settings, without_password


@click.group()
def main() -> None:
    """Wangge (网格): the one-map platform for grid governance."""


@main.command()
@click.option(
    "--url",
    "role",
    type=click.Choice(["admin", "owner", "app", "worker", "tiles"]),
    help="Print the address for one role, with its password, and nothing else.",
)
def db(role: str | None) -> None:
    """Start only the database and print its addresses."""
    from app import cluster, roles

    settings = Settings.load()
    if settings.is_private_cluster:
        cluster.start(cluster.private(settings))
    roles.prepare(settings.admin_url, settings.passwords())
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


if __name__ == "__main__":
    main()
