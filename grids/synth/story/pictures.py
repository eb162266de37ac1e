"""Drawn pictures that stand for photos: a street, what is wrong in it, and the same put right."""

from __future__ import annotations

import hashlib
import io
from datetime import datetime
from typing import Final

import numpy as np
from PIL import Image, ImageDraw, ImageFilter
from sqlalchemy.orm import Session

from grids.blobs import Store, store_photo

SIZE: Final = (960, 720)
VARIANTS: Final = 2
#: First two or five digits of a category -> what is drawn; anything else is litter.
SUBJECTS: Final = {
    "01": "hole", "10901": "hole", "06013": "hole", "10902": "water", "10906": "water",
    "06025": "water", "09": "vehicle", "06034": "vehicle", "01037": "lamp", "04": "tree",
    "hazard": "boxes", "06036": "boxes", "09005": "boxes", "paper": "paper",
}  # fmt: skip
Colour = tuple[int, int, int]


class Album:
    """Pictures of a city, drawn and stored once each."""

    def __init__(self, session: Session, store: Store, seed: int, now: datetime) -> None:
        self._session, self._store, self._seed, self._now = session, store, seed, now
        self._kept: dict[tuple[str, bool, int], str] = {}

    def photo(self, what: str, k: int, *, is_after: bool) -> str:
        """Return the hash of a picture of a category, before or after."""
        subject = SUBJECTS.get(what) or SUBJECTS.get(what[:2], "litter")
        key = (subject, is_after and subject != "paper", k % VARIANTS)
        if key not in self._kept:
            data = drawn(*key, seed=self._seed)
            sha256 = hashlib.sha256(data).hexdigest()
            store_photo(
                self._session, self._store, data, sha256=sha256, account_id=None, now=self._now
            )
            self._kept[key] = sha256
        return self._kept[key]


def drawn(subject: str, is_after: bool, variant: int, *, seed: int) -> bytes:
    """Draw one picture as JPEG: the same bytes for the same question."""
    rng = np.random.default_rng([seed, variant, sum(subject.encode()), int(is_after)])
    place = np.random.default_rng([seed, variant, sum(subject.encode())])
    if subject == "paper":
        return _jpeg(_paper(rng))
    picture = _street(place)
    pen = ImageDraw.Draw(picture)
    if not is_after:
        _SUBJECTS[subject](pen, rng)
    elif subject in ("hole", "water"):
        pen.polygon([(360, 560), (610, 548), (650, 630), (390, 640)], fill=(86, 88, 92))
    elif subject in ("lamp", "tree"):
        _SUBJECTS[subject](pen, None)
    picture = picture.filter(ImageFilter.GaussianBlur(0.8))
    grain = rng.normal(0, 4.0, (SIZE[1], SIZE[0], 1))
    noisy = np.clip(np.asarray(picture, dtype=np.float32) + grain, 0, 255).astype(np.uint8)
    return _jpeg(Image.fromarray(noisy))


def _jpeg(picture: Image.Image) -> bytes:
    out = io.BytesIO()
    picture.save(out, "JPEG", quality=84)
    return out.getvalue()


def _street(rng: np.random.Generator) -> Image.Image:
    """Draw sky, houses, pavement and road."""
    shade = int(rng.integers(0, 26))
    sky = np.linspace((150 + shade, 188, 226), (226, 232, 236), 330)
    rows = np.vstack([sky, np.tile((134, 132, 128), (90, 1)), np.tile((92, 94, 98), (300, 1))])
    picture = Image.fromarray(np.repeat(rows[:, None, :], SIZE[0], axis=1).astype(np.uint8), "RGB")
    pen = ImageDraw.Draw(picture)
    x = -40
    while x < SIZE[0]:
        width, top = int(rng.integers(120, 220)), int(rng.integers(60, 210))
        tone = int(rng.integers(150, 222))
        pen.rectangle((x, top, x + width, 348), fill=(tone, tone - 8, tone - 22))
        for wy in range(top + 18, 300, 44):
            for wx in range(x + 14, x + width - 26, 40):
                pen.rectangle((wx, wy, wx + 20, wy + 26), fill=(96, 116, 138))
        x += width + int(rng.integers(6, 34))
    pen.rectangle((0, 346, SIZE[0], 420), fill=(158, 154, 148))
    for seam in range(0, SIZE[0], 64):
        pen.line((seam, 346, seam - 40, 420), fill=(142, 138, 132), width=2)
    pen.rectangle((0, 416, SIZE[0], 424), fill=(188, 186, 180))
    for dash in range(20, SIZE[0], 190):
        pen.polygon([(dash, 660), (dash + 96, 660), (dash + 88, 674), (dash - 10, 674)],
                    fill=(216, 214, 206))  # fmt: skip
    return picture


def _litter(pen: ImageDraw.ImageDraw, rng: np.random.Generator | None) -> None:
    for _ in range(16 if rng is not None else 0):
        assert rng is not None
        x, y, r = (
            int(rng.integers(250, 640)),
            int(rng.integers(370, 500)),
            int(rng.integers(18, 52)),
        )
        tone = int(rng.integers(40, 190))
        pen.ellipse((x, y, x + 2 * r, y + int(1.3 * r)), fill=(tone, tone - 6, max(0, tone - 30)))


def _boxes(pen: ImageDraw.ImageDraw, rng: np.random.Generator | None) -> None:
    for n in range(7 if rng is not None else 0):
        assert rng is not None
        x, y, w = 260 + 62 * n, int(rng.integers(330, 400)), int(rng.integers(60, 96))
        tone = int(rng.integers(150, 190))
        pen.rectangle((x, y, x + w, y + w), fill=(tone, tone - 40, tone - 84),
                      outline=(104, 78, 50), width=3)  # fmt: skip


def _hole(pen: ImageDraw.ImageDraw, rng: np.random.Generator | None) -> None:
    pen.ellipse((350, 540, 640, 650), fill=(58, 56, 54), outline=(120, 116, 108), width=6)
    pen.ellipse((390, 560, 600, 636), fill=(24, 22, 22))
    assert rng is not None
    for _ in range(9):
        x, y = int(rng.integers(300, 680)), int(rng.integers(520, 670))
        pen.line((470, 590, x, y), fill=(66, 66, 68), width=3)


def _water(pen: ImageDraw.ImageDraw, rng: np.random.Generator | None) -> None:
    assert rng is not None
    for _ in range(6):
        x, y, r = (
            int(rng.integers(120, 560)),
            int(rng.integers(480, 600)),
            int(rng.integers(90, 210)),
        )
        pen.ellipse((x, y, x + 2 * r, y + r // 2), fill=(118, 140, 158))


def _vehicle(pen: ImageDraw.ImageDraw, rng: np.random.Generator | None) -> None:
    assert rng is not None
    tone = tuple(int(v) for v in rng.integers(60, 200, 3))
    pen.rounded_rectangle((290, 350, 650, 460), 26, fill=tone)
    pen.polygon([(350, 352), (400, 292), (560, 292), (610, 352)], fill=(74, 92, 110))
    for x in (340, 540):
        pen.ellipse((x, 424, x + 74, 498), fill=(26, 26, 28), outline=(150, 150, 152), width=8)


def _lamp(pen: ImageDraw.ImageDraw, rng: np.random.Generator | None) -> None:
    lean = 0 if rng is None else 90
    pen.line((480, 420, 480 + lean, 96), fill=(70, 74, 80), width=12)
    pen.line((480 + lean, 96, 590 + lean, 112), fill=(70, 74, 80), width=9)
    light = (250, 236, 170) if rng is None else (60, 62, 64)
    pen.ellipse((572 + lean, 104, 622 + lean, 130), fill=light)


def _tree(pen: ImageDraw.ImageDraw, rng: np.random.Generator | None) -> None:
    if rng is None:
        pen.rectangle((468, 250, 492, 420), fill=(96, 74, 54))
        pen.ellipse((380, 110, 580, 290), fill=(84, 128, 78))
        return
    pen.line((300, 560, 640, 430), fill=(96, 74, 54), width=26)
    pen.ellipse((580, 340, 800, 500), fill=(96, 112, 70))


def _paper(rng: np.random.Generator) -> Image.Image:
    """Draw a signed sheet on a desk: lines stand for words, nothing can be read."""
    picture = Image.new("RGB", SIZE, (112, 92, 74))
    pen = ImageDraw.Draw(picture)
    pen.polygon([(210, 40), (760, 60), (740, 690), (190, 670)], fill=(248, 246, 240))
    pen.rectangle((360, 96, 600, 116), fill=(60, 60, 64))
    for row in range(150, 540, 30):
        pen.line(
            (260, row, 260 + int(rng.integers(300, 440)), row + 2), fill=(130, 130, 134), width=6
        )
    for x in (280, 520):
        points = [(x + 16 * n, 596 + int(rng.integers(-16, 16))) for n in range(9)]
        pen.line(points, fill=(40, 50, 130), width=4)
    pen.ellipse((560, 540, 680, 660), outline=(196, 56, 48), width=6)
    return picture


_SUBJECTS: Final = {"litter": _litter, "boxes": _boxes, "hole": _hole, "water": _water,
                    "vehicle": _vehicle, "lamp": _lamp, "tree": _tree}  # fmt: skip
