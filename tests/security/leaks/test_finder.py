"""The finder finds: a search that misses a form proves nothing (twin of the crawl)."""

import base64
import gzip
import io
import json
import zipfile
from collections.abc import Callable
from urllib.parse import quote

import mapbox_vector_tile
import pytest

from tests.security.leaks.finder import Finder

ID, PHONE, NAME = "11010119620304123X", "13712345678", "龘靐甲"
FINDER = Finder([ID], [PHONE], [NAME])


def zipped(text: str) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("xl/sharedStrings.xml", text)
    return out.getvalue()


FORMS: dict[str, Callable[[str], bytes]] = {
    "plain": str.encode,
    "in a sentence": lambda text: f"电话{text}，谢谢".encode(),
    "in json": lambda text: json.dumps({"a": text}).encode(),
    "json with escapes": lambda text: "".join(f"\\u{ord(sign):04x}" for sign in text).encode(),
    "in an address": lambda text: f"/x?q={quote(text)}".encode(),
    "every sign of an address": lambda text: "".join(f"%{byte:02X}" for byte in text.encode()).encode(),
    "html entities": lambda text: "".join(f"&#{ord(sign)};" for sign in text).encode(),
    "base64": lambda text: base64.b64encode(f"user {text} end".encode()),
    "base64 for addresses": lambda text: base64.urlsafe_b64encode(f"{text} {text}".encode()).rstrip(b"="),
    "hex of a dump": lambda text: b"\\x" + text.encode().hex().encode(),
    "gzip": lambda text: gzip.compress(text.encode()),
    "workbook": zipped,
    "base64 of gzip": lambda text: base64.b64encode(gzip.compress(text.encode())),
}  # fmt: skip
DIGIT_FORMS: dict[str, Callable[[str], bytes]] = {
    "groups of four": lambda text: " ".join(text[at : at + 4] for at in range(0, 18, 4)).encode(),
    "with dashes": lambda text: f"{text[:3]}-{text[3:7]}-{text[7:]}".encode(),
    "with dots": lambda text: ".".join(text[at : at + 3] for at in range(0, 18, 3)).encode(),
    "reversed": lambda text: text[::-1].encode(),
    "wide digits": lambda text: "".join(chr(ord(sign) + 0xFEE0) for sign in text).encode(),
    "among other digits": lambda text: f"99{text}".encode(),
    "in lower case": lambda text: text.lower().encode(),
}


@pytest.mark.parametrize("value", [ID, PHONE, NAME])
@pytest.mark.parametrize("form", FORMS)
def test_a_secret_is_found_in_each_form(form: str, value: str) -> None:
    found = FINDER.find(FORMS[form](value))

    assert {hit.value for hit in found} == {value}


@pytest.mark.parametrize("value", [ID, PHONE])
@pytest.mark.parametrize("form", DIGIT_FORMS)
def test_numbers_are_found_however_they_are_grouped(form: str, value: str) -> None:
    assert {hit.value for hit in FINDER.find(DIGIT_FORMS[form](value))} == {value}


def test_a_number_that_a_tile_holds_as_a_number_is_found() -> None:
    tile = mapbox_vector_tile.encode(
        [{"name": "a", "features": [{"geometry": "POINT (1 1)", "properties": {"n": int(PHONE)}}]}]
    )

    assert {hit.value for hit in FINDER.find(tile)} == {PHONE}


def test_the_end_of_a_number_tells_who_it_is() -> None:
    assert FINDER.find(b"******" + ID[6:].encode())


@pytest.mark.parametrize(
    "text",
    ["110101********123X", "137****5678", "龘**", "110101196203", "1371234567", "", "9" * 5000],
)
def test_masked_and_partial_values_are_no_leak(text: str) -> None:
    assert FINDER.find(text.encode()) == []
