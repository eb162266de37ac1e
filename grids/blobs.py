"""Photos: a content-addressed store of files, and the copies of them that may be shown.

The original is kept as it came, for evidence; nobody is shown it. What faces show is drawn
anew from its pixels, so that neither EXIF nor anything hidden behind the picture survives.
A file is named by the hash of its content: sending it twice stores it once.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import secrets
import threading
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

from geoalchemy2 import WKTElement
from PIL import ExifTags, Image, ImageOps, UnidentifiedImageError
from sqlalchemy import delete, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from grids import scope
from grids.accounts import Actor
from grids.channels.letter_models import LetterPhoto
from grids.city import City
from grids.db import STORAGE_SRID
from grids.disputes.models import DisputePhoto
from grids.errors import Invalid, NotFound
from grids.hazards.models import HazardPhoto
from grids.incidents.held.models import HeldMove
from grids.incidents.models import Attachment, Blob, Incident
from grids.ledgers.models import VisitPhoto

MOST_BYTES: Final = 15 * 1024 * 1024
MOST_PIXELS: Final = 50_000_000
LONGEST_SIDE: Final = 16_000
PUBLIC_SIDE: Final = 1600
THUMB_SIDE: Final = 320
#: A camera's progressive JPEG has about ten scans; thousands cost minutes of a processor.
MOST_SCANS: Final = 100
#: Pictures that a process draws at once: each may hold 200 MiB of pixels while it does.
_drawing: Final = threading.BoundedSemaphore(2)
#: How long a photo may wait for the report that names it.
GRACE: Final = timedelta(hours=24)
#: Writers share this lock, the sweep takes it alone: it never removes what is being stored.
SWEEP_LOCK: Final = 727003

#: First bytes -> Pillow's name of the format and the media type.
MAGIC: Final = (
    (b"\xff\xd8\xff", "JPEG", "image/jpeg"),
    (b"\x89PNG\r\n\x1a\n", "PNG", "image/png"),
    (b"RIFF", "WEBP", "image/webp"),
)


class TooLarge(Invalid):
    """The photo has more bytes or pixels than allowed."""

    code = "blob.too_large"


class NotAPhoto(Invalid):
    """The file is no JPEG, PNG or WebP picture, or is damaged."""

    code = "blob.not_a_photo"


class WrongHash(Invalid):
    """What arrived is not what the address says: the transfer was cut or changed."""

    code = "blob.wrong_hash"


class NoBlob(NotFound):
    """There is no such photo, or the caller may not see it."""

    code = "blob.none"


@dataclass(frozen=True)
class Drawn:
    """The copies made from a picture, and what its EXIF claimed."""

    media_type: str
    width: int
    height: int
    public: bytes
    thumb: bytes
    taken_at: datetime | None
    taken_lonlat: tuple[float, float] | None


@dataclass(frozen=True)
class Store:
    """A folder of files named by their SHA-256, in two rooms: `original` and `public`."""

    folder: Path

    def path(self, room: str, sha256: str) -> Path:
        """Name the file of a hash."""
        return self.folder / room / sha256[:2] / sha256

    def put(self, room: str, data: bytes) -> str:
        """Store bytes whole or not at all; return their hash. The same bytes stay one file."""
        sha256 = hashlib.sha256(data).hexdigest()
        target = self.path(room, sha256)
        if target.exists():
            return sha256
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        draft = target.with_name(f".{sha256}.{secrets.token_hex(4)}")
        try:
            with draft.open("xb") as file:
                os.fchmod(file.fileno(), 0o600)
                file.write(data)
                file.flush()
                os.fsync(file.fileno())
            draft.replace(target)
        finally:
            draft.unlink(missing_ok=True)
        for folder in (target.parent, target.parent.parent):
            _sync_folder(folder)
        return sha256

    def read(self, room: str, sha256: str) -> bytes:
        """Return the content of a file. Raises `NoBlob`."""
        try:
            return self.path(room, sha256).read_bytes()
        except FileNotFoundError:
            raise NoBlob("no such photo") from None

    def files(self) -> Iterator[tuple[str, Path]]:
        """Yield every file with its room, unfinished ones included."""
        for room in ("original", "public"):
            for path in sorted((self.folder / room).glob("*/*")):
                yield room, path


def store_photo(
    session: Session,
    store: Store,
    data: bytes,
    *,
    sha256: str,
    account_id: int | None,
    now: datetime,
    city: City | None = None,
) -> Blob:
    """Store a photo and its copies; again, or by somebody else, it is the same photo.

    Files are on the disk before the row is there: a crash leaves files that the sweep
    removes, never a row without its files. Raises `TooLarge`, `NotAPhoto` and `WrongHash`.
    """
    if len(data) > MOST_BYTES:
        raise TooLarge("the photo is too large", size_mb=_mb(len(data)), most_mb=_mb(MOST_BYTES))
    if hashlib.sha256(data).hexdigest() != sha256:
        raise WrongHash("the content does not have this hash", field="sha256")
    session.execute(select(func.pg_advisory_xact_lock_shared(SWEEP_LOCK)))
    scope.open_photos(session, (sha256,))
    known = session.get(Blob, sha256)
    if known is not None:
        return known
    drawn = draw(data, ZoneInfo(city.city_zone) if city else ZoneInfo("UTC"))
    store.put("original", data)
    values = {
        "sha256": sha256,
        "size": len(data),
        "media_type": drawn.media_type,
        "width": drawn.width,
        "height": drawn.height,
        "public_sha256": store.put("public", drawn.public),
        "thumb_sha256": store.put("public", drawn.thumb),
        "taken_at": drawn.taken_at,
        "taken_geom": _point(drawn.taken_lonlat, city),
        "account_id": account_id,
        "created_at": now,
    }
    session.execute(insert(Blob).values(values).on_conflict_do_nothing())
    return session.get_one(Blob, sha256)


def draw(data: bytes, zone: ZoneInfo) -> Drawn:
    """Read a picture and draw its copies anew. Raises `NotAPhoto` and `TooLarge`.

    Size is judged from the header, before a pixel is decoded.
    """
    kind, media_type = sniff(data)
    if kind == "JPEG" and data.count(b"\xff\xda") > MOST_SCANS:
        raise NotAPhoto("the picture is drawn in too many passes", field="photo")
    try:
        with _drawing, warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of hidden data that is broken
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            picture = Image.open(io.BytesIO(data), formats=(kind,))
            _check_pixels(*picture.size)
            exif = picture.getexif()
            picture.draft("RGB", (PUBLIC_SIDE, PUBLIC_SIDE))  # a JPEG decodes smaller at once
            width, height = _upright(exif, Image.open(io.BytesIO(data), formats=(kind,)).size)
            upright = ImageOps.exif_transpose(picture)
            plain = _on_white(upright)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning):
        raise TooLarge("the photo has too many pixels", most_mb=_mb(MOST_BYTES)) from None
    except (UnidentifiedImageError, OSError, SyntaxError, ValueError, EOFError) as error:
        raise NotAPhoto("the file is damaged or no photo", field="photo") from error
    return Drawn(
        media_type=media_type,
        width=width,
        height=height,
        public=_encoded(plain, PUBLIC_SIDE, quality=82),
        thumb=_encoded(plain, THUMB_SIDE, quality=75),
        taken_at=_taken_at(exif, zone),
        taken_lonlat=_taken_lonlat(exif),
    )


def sniff(data: bytes) -> tuple[str, str]:
    """Name format and media type by the first bytes, whatever the file is called."""
    for magic, kind, media_type in MAGIC:
        if data.startswith(magic) and (kind != "WEBP" or data[8:12] == b"WEBP"):
            return kind, media_type
    raise NotAPhoto("only JPEG, PNG and WebP photos are taken", field="photo")


def photo_copy(session: Session, store: Store, actor: Actor, sha256: str) -> bytes:
    """Return a copy that the actor may see: of a case in scope, or of an own upload.

    Raises `NoBlob` for everything else, originals included.
    """
    in_scope = exists(
        select(Attachment.id)
        .join(Incident, Incident.id == Attachment.incident_id)
        .where(Attachment.sha256 == Blob.sha256, scope.condition(actor, Incident))
    )
    allowed = select(Blob.sha256).where(
        or_(Blob.public_sha256 == sha256, Blob.thumb_sha256 == sha256),
        or_(Blob.account_id == actor.account_id, in_scope),
    )
    if session.scalar(allowed.limit(1)) is None:
        raise NoBlob("no such photo")
    return store.read("public", sha256)


def sweep(session: Session, store: Store, *, now: datetime) -> int:
    """Remove photos that no report has named for a day; return how many files went.

    The caller's transaction must begin here and end right after: rows go first, files after
    the rows are gone for good, and writers wait meanwhile.
    """
    # The lock of a transaction, taken twice: a commit gives the connection back to the pool,
    # and a lock of the session would stay on it, shutting every writer out for good.
    lock = select(func.pg_advisory_xact_lock(SWEEP_LOCK))
    session.execute(lock)
    is_used = or_(
        *(
            exists(select(photo.id).where(photo.sha256 == Blob.sha256))
            for photo in (Attachment, DisputePhoto, HazardPhoto, LetterPhoto, VisitPhoto)
        ),
        exists(
            select(HeldMove.id).where(
                HeldMove.state == "waiting", HeldMove.photos.any_() == Blob.sha256
            )
        ),
    )
    session.execute(delete(Blob).where(~is_used, Blob.created_at < now - GRACE))
    session.commit()
    session.execute(lock)
    try:
        return _remove_unnamed(session, store, now)
    finally:
        session.commit()


def verify_store(session: Session, store: Store) -> list[str]:
    """Return what is wrong with the files: missing ones, and ones whose content changed."""
    wrong = []
    for blob in session.scalars(select(Blob).order_by(Blob.sha256)):
        names = (("original", blob.sha256), ("public", blob.public_sha256),
                 ("public", blob.thumb_sha256))  # fmt: skip
        for room, sha256 in names:
            try:
                found = hashlib.sha256(store.read(room, sha256)).hexdigest()
            except NoBlob:
                wrong.append(f"{room}/{sha256}: missing")
                continue
            if found != sha256:
                wrong.append(f"{room}/{sha256}: content has hash {found}")
    return wrong


def _remove_unnamed(session: Session, store: Store, now: datetime) -> int:
    """Remove old files that no row names, drafts of broken uploads among them."""
    named: set[tuple[str, str]] = set()
    for row in session.execute(select(Blob.sha256, Blob.public_sha256, Blob.thumb_sha256)):
        named |= {
            ("original", row.sha256),
            ("public", row.public_sha256),
            ("public", row.thumb_sha256),
        }
    removed = 0
    for room, path in store.files():
        age = now - datetime.fromtimestamp(path.stat().st_mtime, UTC)
        if (room, path.name) not in named and age > GRACE:
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def _check_pixels(width: int, height: int) -> None:
    if width * height > MOST_PIXELS or max(width, height) > LONGEST_SIDE:
        raise TooLarge(f"{width} x {height} pixels are too many", most_mb=_mb(MOST_BYTES))


def _upright(exif: Image.Exif, size: tuple[int, int]) -> tuple[int, int]:
    """Return the size as the picture is looked at: orientations 5 to 8 lie on the side."""
    is_sideways = exif.get(ExifTags.Base.Orientation, 1) in (5, 6, 7, 8)
    return (size[1], size[0]) if is_sideways else size


def _on_white(picture: Image.Image) -> Image.Image:
    """Return the bare pixels in RGB, transparency on white, without any attached data."""
    if "A" in picture.getbands() or "transparency" in picture.info:
        layered = picture.convert("RGBA")
        white = Image.new("RGB", picture.size, "white")
        white.paste(layered, mask=layered.getchannel("A"))
        return white
    return picture.convert("RGB")


def _encoded(picture: Image.Image, side: int, *, quality: int) -> bytes:
    copy = picture.copy()
    copy.thumbnail((side, side), Image.Resampling.LANCZOS)
    bare = Image.new("RGB", copy.size)
    bare.paste(copy)
    out = io.BytesIO()
    bare.save(out, "JPEG", quality=quality, optimize=True, progressive=True)
    return out.getvalue()


def _taken_at(exif: Image.Exif, zone: ZoneInfo) -> datetime | None:
    """Read when the camera claims the photo was taken; without an offset, on the city's clock."""
    details = exif.get_ifd(ExifTags.IFD.Exif)
    text = str(details.get(ExifTags.Base.DateTimeOriginal) or "")
    offset = str(details.get(ExifTags.Base.OffsetTimeOriginal) or "")
    with contextlib.suppress(ValueError, OverflowError):
        local = datetime.strptime(text.strip("\0 "), "%Y:%m:%d %H:%M:%S")  # noqa: DTZ007
        with contextlib.suppress(ValueError):
            aware = datetime.fromisoformat(f"{local.isoformat()}{offset.strip()}")
            if aware.tzinfo is not None:
                return aware.astimezone(UTC)
        return local.replace(tzinfo=zone).astimezone(UTC)
    return None


def _taken_lonlat(exif: Image.Exif) -> tuple[float, float] | None:
    """Read where the camera claims to have been."""
    gps = exif.get_ifd(ExifTags.IFD.GPSInfo)
    try:
        lat = _degrees(gps[ExifTags.GPS.GPSLatitude])
        lon = _degrees(gps[ExifTags.GPS.GPSLongitude])
    except (KeyError, TypeError, ValueError, ZeroDivisionError, IndexError):
        return None
    if str(gps.get(ExifTags.GPS.GPSLatitudeRef, "N")).upper().startswith("S"):
        lat = -lat
    if str(gps.get(ExifTags.GPS.GPSLongitudeRef, "E")).upper().startswith("W"):
        lon = -lon
    return lon, lat


def _degrees(parts: Any) -> float:
    degrees, minutes, seconds = (float(part) for part in parts)
    return degrees + minutes / 60 + seconds / 3600


def _point(lonlat: tuple[float, float] | None, city: City | None) -> WKTElement | None:
    """Keep a claimed place only where it lies in the city's envelope; NaN fails too."""
    if lonlat is None or city is None:
        return None
    lon, lat = lonlat
    if not (city.west <= lon <= city.east and city.south <= lat <= city.north):
        return None
    return WKTElement(f"POINT({lon!r} {lat!r})", srid=STORAGE_SRID)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _mb(size: int) -> str:
    return f"{size / 1024 / 1024:.1f}"
