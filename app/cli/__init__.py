"""The `wangge` command: each command parses, calls one service and echoes.

Services are imported inside the commands: `wangge status` must not wait for geopandas.
"""

import logging
import sys

import click

from app.cli import (
    audit,
    channels,
    data,
    develop,
    exports,
    grids,
    keys,
    outbox,
    people,
    privacy,
    serve,
    tables,
)
from app.cluster import ClusterError
from app.config import InvalidSetting
from app.processes import ProcessError
from gis.errors import GisError
from grids.errors import GridsError

#: Errors whose message is for the person at the keyboard; anything else is a fault of ours.
FOR_THE_READER = (ClusterError, InvalidSetting, ProcessError, GisError, GridsError)

COMMANDS = (
    serve.demo,
    serve.up,
    serve.down,
    serve.status,
    serve.doctor,
    serve.db,
    serve.worker,
    serve.sealer,
    serve.supervise,
    data.migrate,
    data.import_,
    data.duplicates,
    data.synth,
    data.codes,
    people.account,
    data.verify_store,
    channels.reconcile,
    channels.channel,
    audit.audit_group,
    exports.exports_group,
    grids.grids_group,
    keys.keys,
    outbox.outbox,
    privacy.inventory,
    privacy.retention,
    develop.test,
    develop.check,
    develop.assets,
    develop.dev,
    develop.bench,
    develop.lock,
)


class _Door(click.Group):
    """Shows known errors as one line with the next step instead of a traceback."""

    def invoke(self, ctx: click.Context) -> object:
        try:
            return super().invoke(ctx)
        except FOR_THE_READER as error:
            from app.cli.words import message_of

            raise click.ClickException(message_of(error)) from error


@click.group(cls=_Door, context_settings={"help_option_names": ["-h", "--help"]})
@click.option("-v", "--verbose", is_flag=True, help="Say more of what happens.")
def main(*, verbose: bool) -> None:
    """Wangge (网格): the one-map platform for grid governance."""
    logging.basicConfig(
        level=logging.INFO if verbose else logging.WARNING,
        format="%(asctime)s %(levelname)s %(name)s %(message)s",
        stream=sys.stderr,
    )


#: Their group is `data.import_`; naming them here is what brings their module in.
TABLES = (tables.import_table, tables.resume, tables.undo)

for command in COMMANDS:
    main.add_command(command)
