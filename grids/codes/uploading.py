"""Files of code lists that come through a page: kept, compared, loaded, by the code of the commands."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from grids.codes.loading import Loaded, Plan, load, plan
from grids.codes.models import BY_PAGE, SHIPPED, CodeLoad, CodeUpload
from grids.codes.reading import READERS, read
from grids.codes.rows import BadCodeList
from grids.errors import Conflict, Invalid, NotFound

MOST_BYTES: Final = 1024 * 1024
ORIGIN: Final = re.compile(r"[a-z][a-z0-9-]{1,30}")


class BadUpload(Invalid):
    """What was sent are no files of code lists; `field` and `problem` say what is wrong."""

    code = "codes.bad_upload"


class NoUpload(NotFound):
    """There are no such files."""

    code = "codes.no_upload"


class UploadLoaded(Conflict):
    """These files were loaded already."""

    code = "codes.loaded"


def keep(session: Session, files: Mapping[str, bytes], *, by: int, origin: str) -> CodeUpload:
    """Check files and keep them, to look at what they would change; nothing is changed.

    Raises `BadUpload` and, for a wrong row, `BadCodeList` with file, line and column.
    """
    if not ORIGIN.fullmatch(origin) or origin in (SHIPPED, BY_PAGE):
        raise BadUpload("the city's rows have a name of small letters", field="origin",
                        problem="origin")  # fmt: skip
    if not files:
        raise BadUpload("no file", field="files", problem="none")
    if sum(map(len, files.values())) > MOST_BYTES:
        raise BadUpload("files that large", field="files", problem="large")
    if unknown := set(files) - set(READERS):
        raise BadUpload(f"no such list {min(unknown)}", field="files", problem="unknown_file",
                        name=min(unknown))  # fmt: skip
    texts = {name: _text(name, data) for name, data in sorted(files.items())}
    with _folder(texts) as folder:
        read(folder)
    digest = hashlib.sha256(repr(sorted(texts.items())).encode()).hexdigest()
    made = CodeUpload(account_id=by, origin=origin, files=texts, digest=digest)
    session.add(made)
    session.flush()
    return made


def upload_of(session: Session, upload_id: int) -> CodeUpload:
    """Return files that were sent. Raises `NoUpload`."""
    found = session.get(CodeUpload, upload_id)
    if found is None:
        raise NoUpload(f"no upload {upload_id}")
    return found


def plan_of(session: Session, upload: CodeUpload, *, on: date) -> Plan:
    """Say row by row what these files would change."""
    with _folder(upload.files) as folder:
        return plan(session, folder, on=on, origin=upload.origin)


def load_of(session: Session, upload_id: int, *, by: int, on: date) -> Loaded:
    """Load files that were sent, once. Raises `NoUpload`, `UploadLoaded`, `BadCodeList`."""
    found = session.get(CodeUpload, upload_id, with_for_update=True, populate_existing=True)
    if found is None:
        raise NoUpload(f"no upload {upload_id}")
    if found.load_id is not None:
        raise UploadLoaded("these files were loaded already")
    with _folder(found.files) as folder:
        done = load(session, folder, on=on, origin=found.origin, by=by, reason=found.origin)
    if done.changes:
        found.load_id = session.scalar(select(func.max(CodeLoad.id)))
    session.flush()
    return done


def _text(name: str, data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise BadCodeList(
            f"{name}, line 1: column 1 is no UTF-8", file=name, line=1, field="1",
            why="is no UTF-8",
        ) from error  # fmt: skip
    if "\x00" in text:
        raise BadUpload("no text", field="files", problem="unknown_file", name=name)
    return text


@contextmanager
def _folder(files: Mapping[str, str]) -> Iterator[Path]:
    """Lay files out as the loader reads them; names come from the list of known ones only."""
    with TemporaryDirectory(prefix="codes-") as name:
        for file, text in files.items():
            if file in READERS:
                (Path(name) / file).write_text(text, encoding="utf-8")
        yield Path(name)
