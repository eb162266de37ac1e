"""The store of photos on disk and in the table: whole files, sweeping, verifying, tracking."""

import hashlib
import os
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.config import as_role
from grids import blobs
from grids.blobs import Store
from grids.db import engine
from grids.incidents import service, tracking
from grids.incidents.errors import NoIncident
from grids.incidents.models import Attachment, Blob, Incident, IncidentReporter
from grids.incidents.requests import Contact
from tests.support.cases import VAULT, Desk, build_city, make_staff, photo_bytes, report

NOW = datetime(2026, 3, 4, 4, 0, tzinfo=UTC)


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return Store(tmp_path / "blobs")


@pytest.fixture
def committed(empty_database: str) -> Iterator[Session]:
    """A session whose transactions really commit, as the sweep's do."""
    made = engine(as_role(empty_database, "wangge_owner", "none"))
    with Session(made, expire_on_commit=False) as session:
        build_city(session)
        session.commit()
        yield session
    made.dispose()


def keep(session: Session, store: Store, colour: str, now: datetime = NOW) -> Blob:
    data = photo_bytes(colour)
    sha256 = hashlib.sha256(data).hexdigest()
    return blobs.store_photo(session, store, data, sha256=sha256, account_id=None, now=now)


def age(store: Store, by: timedelta) -> None:
    """Let every file look as old as that, seen from `NOW`."""
    for _, path in store.files():
        at = (NOW - by).timestamp()
        os.utime(path, (at, at))


def test_a_photo_nobody_named_goes_after_a_day_and_others_stay(
    committed: Session, store: Store
) -> None:
    desk = Desk(committed, make_staff(committed), now=NOW)
    named, fresh = keep(committed, store, "red"), keep(committed, store, "blue")
    keep(committed, store, "green", now=NOW - timedelta(hours=25))
    desk.submit(photos=(named.sha256,))
    committed.commit()
    age(store, timedelta(hours=25))

    removed = blobs.sweep(committed, store, now=NOW)

    left = set(committed.scalars(select(Blob.sha256)))
    assert left == {named.sha256, fresh.sha256}
    assert removed == 3  # the original and two copies
    assert blobs.verify_store(committed, store) == []


def test_what_a_broken_upload_left_goes_too(committed: Session, store: Store) -> None:
    keep(committed, store, "red")
    committed.commit()
    draft = store.path("original", "ab" * 32).with_name(".draft")
    draft.parent.mkdir(parents=True, exist_ok=True)
    draft.write_bytes(b"half")
    age(store, timedelta(hours=25))

    assert blobs.sweep(committed, store, now=NOW) == 1
    assert not draft.exists()


def test_a_young_file_without_a_row_is_left_to_the_upload_that_writes_it(
    committed: Session, store: Store
) -> None:
    store.put("original", b"in the middle of an upload")
    age(store, timedelta(hours=23))

    assert blobs.sweep(committed, store, now=NOW) == 0


def test_the_verifier_finds_a_changed_and_a_missing_file(session: Session, store: Store) -> None:
    build_city(session)
    changed, missing = keep(session, store, "red"), keep(session, store, "blue")
    store.path("original", changed.sha256).write_bytes(b"something else")
    store.path("public", missing.thumb_sha256).unlink()

    wrong = blobs.verify_store(session, store)

    assert len(wrong) == 2
    assert any(changed.sha256 in line and "content" in line for line in wrong)
    assert any(missing.thumb_sha256 in line and "missing" in line for line in wrong)


def test_a_write_that_breaks_leaves_no_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)

    with pytest.raises(OSError, match="No space"):
        store.put("original", b"photo")

    assert list(store.files()) == []


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_stands_upright_in_the_copies(orientation: int) -> None:
    import io

    from PIL import ExifTags, Image

    exif = Image.Exif()
    exif[ExifTags.Base.Orientation] = orientation
    out = io.BytesIO()
    Image.new("RGB", (40, 20), "white").save(out, "JPEG", exif=exif)

    drawn = blobs.draw(out.getvalue(), ZoneInfo("UTC"))

    size = (20, 40) if orientation >= 5 else (40, 20)
    assert (drawn.width, drawn.height) == size
    assert Image.open(io.BytesIO(drawn.public)).size == size


# --- What the public sees and what is kept of a reporter ------------------------------------


def test_the_tracking_code_is_stored_hashed_and_shows_a_reduced_state(session: Session) -> None:
    build_city(session)
    desk = Desk(session, make_staff(session))
    case = desk.submit(channel="public")
    code = tracking.code_for(VAULT, case)
    desk.take_to(case, "handling")

    found = tracking.public_status(session, f" {code[:8].lower()}-{code[8:]} ")

    assert len(code) == 26
    assert (found.status, found.number) == ("in_progress", desk.row(case).number)
    assert [step.status for step in found.steps] == ["received", "in_progress"]
    assert desk.row(case).track_hash == hashlib.sha256(code.encode()).digest()
    with pytest.raises(NoIncident):
        tracking.public_status(session, "A" * 26)


def test_a_declined_report_says_why(session: Session) -> None:
    build_city(session)
    desk = Desk(session, make_staff(session))
    case = desk.submit(channel="public")
    desk.move(case, "reject", "intake", reason="outside_area")

    found = tracking.public_status(session, tracking.code_for(VAULT, case))

    assert (found.status, found.reason) == ("declined", "outside_area")


def test_a_reporters_contact_is_sealed_and_found_only_by_its_index(session: Session) -> None:
    build_city(session)
    sent = report(channel="public", contact=Contact("王某某", "138 0000 0000"))
    service.submit(session, sent, None, now=NOW, vault=VAULT)

    row = session.scalars(
        select(IncidentReporter).where(IncidentReporter.incident_id == sent.id)
    ).one()

    assert row.name_sealed is not None
    assert row.phone_sealed is not None
    assert "王".encode() not in row.name_sealed
    assert (
        VAULT.open("incident_reporter", row.id, "phone_sealed", row.phone_sealed) == "13800000000"
    )
    assert row.phone_index == VAULT.blind_index("incident_reporter", "phone", "13800000000")


def test_a_resent_public_report_gets_the_same_tracking_code(session: Session) -> None:
    build_city(session)
    sent = report(channel="public", contact=Contact("王某某", "13800000000"))
    for _ in range(2):
        service.submit(session, sent, None, now=NOW, vault=VAULT)

    codes = {tracking.code_for(VAULT, sent.id) for _ in range(2)}

    assert len(codes) == 1
    assert session.scalar(select(func.count()).select_from(Incident)) == 1
    assert session.scalar(select(func.count()).select_from(IncidentReporter)) == 1
    assert session.scalar(select(func.count()).select_from(Attachment)) == 0
