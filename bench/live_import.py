"""A large table that is checked again and again, in a process of its own, while others report.

Each check stages all rows in one transaction: what the live feed must not wait for.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from sqlalchemy import create_engine
from sqlalchemy.orm import Session

from app.config import ROOT
from bench.exchange import firms
from grids.blobs import Store
from tests.support.cases import COUNTY, EAST, WEST, make_actor
from tests.support.import_desk import Desk

ROWS: Final = 100_000


@contextmanager
def checking(owner_url: str, worker_url: str) -> Iterator[None]:
    """Check the table in the background, from the beginning of the first check on."""
    command = (sys.executable, "-m", "bench.live_import", owner_url, worker_url)
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE, text=True) as process:
        try:
            if process.stdout is None or process.stdout.readline() != "checking\n":
                raise RuntimeError("the table could not be sent")
            yield
        finally:
            process.kill()


def main(owner_url: str, worker_url: str) -> None:
    """Send the table and check it until killed."""
    owner, worker = create_engine(owner_url), create_engine(worker_url)
    with Session(owner) as session, session.begin():
        actor = make_actor(session, "steward", COUNTY)
    data, _ = firms(ROWS, [WEST, EAST])
    with tempfile.TemporaryDirectory(prefix="wangge-live-import-") as folder:
        desk = Desk(owner, worker, Store(Path(folder)), actor)
        batch = desk.send(data)
        print("checking", flush=True)
        while True:
            desk.check(batch, "good")


if __name__ == "__main__":
    main(*sys.argv[1:])
