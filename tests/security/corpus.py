"""Files that are two things at once, or more than they seem: made here, byte by byte (S51, R45)."""

from __future__ import annotations

import gzip
import io
import struct
import zipfile
import zlib
from collections.abc import Callable
from functools import cache

from PIL import ExifTags, Image, ImageCms, PngImagePlugin

MARK = b"<script>alert('wangge-polyglot')</script>"
PHP = b"<?php system($_GET['wangge-polyglot']); ?>"
Make = Callable[[], bytes]


@cache
def picture(size: tuple[int, int] = (120, 90), mode: str = "RGB") -> Image.Image:
    noise = Image.effect_noise(size, 60).convert("L")
    return noise if mode == "L" else Image.merge("RGB", (noise, noise, noise)).convert(mode)


def saved(kind: str, made: Image.Image | None = None, **more: object) -> bytes:
    out = io.BytesIO()
    (made or picture()).save(out, kind, **more)
    return out.getvalue()


def jpeg(**more: object) -> bytes:
    return saved("JPEG", **more)


def png(**more: object) -> bytes:
    return saved("PNG", **more)


def segment(marker: int, body: bytes) -> bytes:
    return bytes([0xFF, marker]) + struct.pack(">H", len(body) + 2) + body


def with_segment(marker: int, body: bytes) -> bytes:
    data = jpeg()
    return data[:2] + segment(marker, body) + data[2:]


def chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def with_chunk(kind: bytes, body: bytes) -> bytes:
    data = png()
    return data[:33] + chunk(kind, body) + data[33:]


def bare_png(
    width: int, height: int, *, depth: int = 8, colour: int = 0, data: bytes = b""
) -> bytes:
    head = struct.pack(">IIBBBBB", width, height, depth, colour, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def huge_png() -> bytes:
    """20,000 x 20,000 pixels in 48 KB."""
    engine = zlib.compressobj(9)
    row = bytes(1 + 20_000 // 8)
    packed = b"".join(engine.compress(row) for _ in range(20_000)) + engine.flush()
    return bare_png(20_000, 20_000, depth=1, data=packed)


def a_zip() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as archive:
        archive.writestr("wangge-polyglot.html", MARK)
    return out.getvalue()


def exif(**tags: object) -> bytes:
    made = Image.Exif()
    for name, value in tags.items():
        made[ExifTags.Base[name]] = value
    made.get_ifd(ExifTags.IFD.GPSInfo).update(
        {1: "N", 2: (29.0, 18.0, 0.0), 3: "E", 4: (120.0, 3.0, 0.0)}
    )
    return jpeg(exif=made.tobytes())


def with_text() -> bytes:
    info = PngImagePlugin.PngInfo()
    info.add_text("Comment", MARK.decode())
    info.add_itxt("XML:com.adobe.xmp", f"<x>{MARK.decode()}</x>", zip=True)
    return png(pnginfo=info)


def many_scans() -> bytes:
    """A progressive JPEG whose last scan stands there two thousand times."""
    data = jpeg(progressive=True)
    at = data.rfind(b"\xff\xda")
    return data[:at] + data[at:-2] * 2_000 + b"\xff\xd9"


def animated(kind: str) -> bytes:
    frames = [picture().rotate(angle) for angle in (0, 90, 180)]
    return saved(kind, frames[0], save_all=True, append_images=frames[1:])


SVG = b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'>" + MARK + b"</svg>"
PDF = (
    b"%PDF-1.4\n1 0 obj<</Type/Catalog/OpenAction<</S/JavaScript/JS(app.alert(1))>>>>endobj\n%%EOF"
)
GIF_JS = b"GIF89a/*" + bytes(20) + b"*/=1;alert('wangge-polyglot');"
HEIC = b"\x00\x00\x00\x18ftypheic\x00\x00\x00\x00mif1heic" + bytes(200)

#: Refused: nothing of them is kept.
REFUSED: dict[str, Make] = {
    "gif and script": lambda: GIF_JS,
    "gif": lambda: saved("GIF"),
    "animated gif": lambda: animated("GIF"),
    "bmp": lambda: saved("BMP"),
    "tiff": lambda: saved("TIFF"),
    "ico": lambda: saved("ICO"),
    "eps": lambda: b"%!PS-Adobe-3.0 EPSF-3.0\n(/etc/passwd) (r) file\n",
    "pdf": lambda: PDF,
    "pdf before jpeg": lambda: PDF + jpeg(),
    "svg": lambda: SVG,
    "svg with a bom": lambda: b"\xef\xbb\xbf" + SVG,
    "svgz": lambda: gzip.compress(SVG),
    "html": lambda: b"<!DOCTYPE html>" + MARK,
    "html before png": lambda: MARK + png(),
    "mvg of imagemagick": lambda: b"push graphic-context\nimage over 0,0 0,0 '|id'\n",
    "zip": a_zip,
    "php": lambda: PHP,
    "elf": lambda: b"\x7fELF" + bytes(60),
    "heic": lambda: HEIC,
    "avif": lambda: HEIC.replace(b"heic", b"avif"),
    "mp4": lambda: b"\x00\x00\x00\x18ftypmp42" + bytes(100),
    "riff that is sound": lambda: b"RIFF\x24\x00\x00\x00WAVEfmt " + bytes(40),
    "empty": lambda: b"",
    "three bytes of jpeg": lambda: b"\xff\xd8\xff",
    "signature of png": lambda: b"\x89PNG\r\n\x1a\n",
    "jpeg signature and script": lambda: b"\xff\xd8\xff\xe0" + MARK * 20,
    "png signature and script": lambda: b"\x89PNG\r\n\x1a\n" + MARK * 20,
    "webp signature and script": lambda: b"RIFF\x00\x01\x00\x00WEBP" + MARK * 8,
    "cut jpeg": lambda: jpeg()[: len(jpeg()) // 2],
    "cut png": lambda: png()[: len(png()) // 2],
    "cut webp": lambda: saved("WEBP", lossless=True)[:400],
    "20,000 x 20,000 in 48 KB": huge_png,
    "a line of 60,000": lambda: bare_png(60_000, 1, data=zlib.compress(bytes(60_001))),
    "sides of two thousand million": lambda: bare_png(2**31 - 1, 2**31 - 1, data=zlib.compress(b"")),
    "no sides": lambda: bare_png(0, 0, data=zlib.compress(b"")),
    "jpeg of 65,500": lambda: jpeg()[:2] + segment(0xC0, b"\x08\xff\xdc\xff\xdc\x03\x01\x11\x00\x02\x11\x01\x03\x11\x01") + jpeg()[2:],
    "two thousand scans": many_scans,
    "text that unpacks to 64 MB": lambda: with_chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(2**26))),
    "profile that unpacks to 64 MB": lambda: with_chunk(b"iCCP", b"a\0\0" + zlib.compress(bytes(2**26))),
    "png with wrong sums": lambda: png().replace(b"IDAT", b"IDAX", 1),
}  # fmt: skip

#: Taken, and drawn anew: nothing but the pixels survives.
CLEANED: dict[str, Make] = {
    "jpeg": jpeg,
    "jpeg and zip": lambda: jpeg() + a_zip(),
    "jpeg and html": lambda: jpeg() + MARK,
    "jpeg and php": lambda: jpeg() + PHP,
    "jpeg and pdf": lambda: jpeg() + PDF,
    "jpeg with a comment": lambda: with_segment(0xFE, MARK),
    "jpeg with a script as segment": lambda: with_segment(0xEF, b"*/=1;alert('wangge-polyglot')/*"),
    "jpeg with xmp": lambda: with_segment(0xE1, b"http://ns.adobe.com/xap/1.0/\0" + MARK),
    "jpeg with iptc": lambda: with_segment(0xED, b"Photoshop 3.0\x008BIM\x04\x04\0\0" + struct.pack(">I", len(MARK)) + MARK),
    "exif with scripts": lambda: exif(Artist=MARK.decode(), ImageDescription=PHP.decode(), Model="wangge-polyglot"),
    "exif with a thumbnail": lambda: exif(Software="wangge-polyglot"),
    "exif that is broken": lambda: with_segment(0xE1, b"Exif\0\0II*\0\xff\xff\xff\x7f" + MARK),
    "jpeg with a profile": lambda: jpeg(icc_profile=ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()),
    "jpeg with a false profile": lambda: jpeg(icc_profile=MARK * 100),
    "cmyk jpeg": lambda: saved("JPEG", picture(mode="CMYK")),
    "grey jpeg": lambda: saved("JPEG", picture(mode="L")),
    "progressive jpeg": lambda: jpeg(progressive=True),
    "png and html": lambda: png() + MARK,
    "png and zip": lambda: png() + a_zip(),
    "png with text": with_text,
    "png with a chunk of its own": lambda: with_chunk(b"scRp", MARK),
    "png with exif": lambda: png(exif=Image.open(io.BytesIO(exif(Artist=MARK.decode()))).getexif()),
    "png of 16 bits": lambda: saved("PNG", Image.new("I;16", (40, 30), 40_000)),
    "png with transparency": lambda: saved("PNG", picture(mode="RGBA")),
    "png with a palette": lambda: saved("PNG", picture(mode="P")),
    "png of one bit": lambda: saved("PNG", picture(mode="1")),
    "animated png": lambda: animated("PNG"),
    "webp": lambda: saved("WEBP"),
    "webp with exif": lambda: saved("WEBP", exif=Image.open(io.BytesIO(exif(Artist=MARK.decode()))).getexif()),
    "webp with xmp": lambda: saved("WEBP", xmp=MARK),
    "webp and html": lambda: saved("WEBP") + MARK,
    "animated webp": lambda: animated("WEBP"),
}  # fmt: skip
