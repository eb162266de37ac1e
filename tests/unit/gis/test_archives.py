"""Archives that were built to hold whoever unpacks them, judged from their headers (R45, S58)."""

import functools
import io
import os
import resource
import struct
import zipfile
import zlib
from collections.abc import Callable

import openpyxl
import pytest

from gis.archives import Limits, SheetLimits, check_archive, check_workbook, workbook_rows
from gis.errors import UnsafeArchive

MIB = 1024 * 1024
CONTENT_TYPES = b'<?xml version="1.0"?><Types/>'
SHEET_HEAD = (
    b'<worksheet xmlns="http://schemas.openxmlformats.org/spreadsheetml/2006/main"><sheetData>'
)
SHEET_END = b"</sheetData></worksheet>"


def packed(entries: dict[str, bytes], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, content in entries.items():
            archive.writestr(name, content)
    return out.getvalue()


def workbook(sheet: bytes, **more: bytes) -> bytes:
    parts = {
        "[Content_Types].xml": CONTENT_TYPES,
        "xl/workbook.xml": b"<workbook/>",
        "xl/worksheets/sheet1.xml": SHEET_HEAD + sheet + SHEET_END,
    }
    return packed({**parts, **more})


def honest(rows: int = 3) -> bytes:
    book = openpyxl.Workbook()
    for row in range(rows):
        book.active.append(["区域", row, 1.5, None, "=1+1"])
    out = io.BytesIO()
    book.save(out)
    return out.getvalue()


@functools.cache
def zip_bomb() -> bytes:
    """One mebibyte that unpacks to a gibibyte of zeros."""
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    # A full flush forgets what came before: the same piece may stand there again and again.
    piece = engine.compress(bytes(MIB)) + engine.flush(zlib.Z_FULL_FLUSH)
    body = piece * 1024 + engine.flush()
    return by_hand([("zeros", body, 1024 * MIB, 0)])


def by_hand(entries: list[tuple[str, bytes, int, int]], *, shared: bool = False) -> bytes:
    """Write a zip with headers of our choice; `shared` points all entries at the first body."""
    out, table, first = b"", b"", 0
    for number, (name, body, size, attributes) in enumerate(entries):
        at = first if shared and number else len(out)
        head = (20, 0, 8, 0, 33, 0, len(body), size, len(name.encode()))
        if not (shared and number):
            out += b"PK\x03\x04" + struct.pack("<HHHHHIIIHH", *head, 0) + name.encode() + body
        table += b"PK\x01\x02" + struct.pack(
            "<HHHHHHIIIHHHHHII", 0x314, *head, 0, 0, 0, 0, attributes, at
        ) + name.encode()  # fmt: skip
    end = struct.pack("<HHHHIIH", 0, 0, len(entries), len(entries), len(table), len(out), 0)
    return out + table + b"PK\x05\x06" + end


def deflated(content: bytes) -> bytes:
    engine = zlib.compressobj(9, zlib.DEFLATED, -15)
    return engine.compress(content) + engine.flush()


def many_entries() -> bytes:
    return packed({f"f{number}": b"" for number in range(5_000)}, zipfile.ZIP_STORED)


def entries_that_lie_about_their_number() -> bytes:
    data = bytearray(many_entries())
    at = data.rfind(b"PK\x05\x06")
    data[at + 8 : at + 12] = struct.pack("<HH", 1, 1)
    return bytes(data)


def huge_format() -> bytes:
    data = packed({"a": b"x"})
    at = data.rfind(b"PK\x05\x06")
    return data[:at] + b"PK\x06\x07" + bytes(16) + data[at:]


def encrypted() -> bytes:
    data = bytearray(packed({"a": b"secret"}))
    at = data.find(b"PK\x01\x02")
    data[at + 8] |= 1
    return bytes(data)


ARCHIVES: dict[str, tuple[Callable[[], bytes], str]] = {
    "one mebibyte to a gibibyte": (zip_bomb, "unpacked"),
    "five thousand entries": (many_entries, "entries"),
    "a false number of entries": (entries_that_lie_about_their_number, "entries"),
    "zip64": (huge_format, "entries"),
    "thirty to thirty thousand": (lambda: packed({"a": bytes(30 * MIB)}), "ratio"),
    "zip in zip": (lambda: packed({"a.dat": packed({"b": b"x"})}), "nested"),
    "gzip in zip": (lambda: packed({"a.txt": b"\x1f\x8b\x08\0\0\0\0\0"}), "nested"),
    "old workbook in zip": (lambda: packed({"a": b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"}), "nested"),
    "encrypted": (encrypted, "encrypted"),
    "bzip2": (lambda: packed({"a": b"x"}, zipfile.ZIP_BZIP2), "method"),
    "lzma": (lambda: packed({"a": b"x"}, zipfile.ZIP_LZMA), "method"),
    "a link": (lambda: by_hand([("a", deflated(b"/etc/passwd"), 11, 0o120777 << 16)]), "link"),
    "a device": (lambda: by_hand([("a", deflated(b""), 0, 0o020666 << 16)]), "link"),
    "shared body": (
        lambda: by_hand([(n, deflated(b"x" * 99), 99, 0) for n in "abc"], shared=True),
        "overlap",
    ),
    "same name in capitals": (lambda: packed({"a": b"1", "A": b"2"}), "twice"),
    "cut in the middle": (lambda: honest()[:2000], "not_zip"),
    "empty": (lambda: b"", "not_zip"),
    "text": (lambda: b"area,count\n1,2\n", "not_zip"),
    "too many bytes": (lambda: bytes(16 * MIB), "size"),
}
NAMES = (
    "../x", "a/../../x", "/etc/passwd", "..\\x", "a\\..\\..\\x", "C:/x", "C:\\x", "c:x", "//host/x",
    "\\\\host\\share\\x", "a/./../../x", "~/x", "con", "nul.txt", "dir/COM1", "aux.xml", "x\ny",
    "x\x7f", "a" * 300, " ", "x:stream", "dir./x", "x .", "a/.. /x", "....//../x",
)  # fmt: skip
SHEETS: dict[str, tuple[Callable[[], bytes], str]] = {
    "five million cells": (lambda: workbook(b"<row>" + b"<c/>" * 5_000_000 + b"</row>"), "ratio"),
    "a million bare cells": (
        lambda: workbook(b"<row>" + b"<c/>" * 250_000 + b"</row>", **{
            f"xl/worksheets/sheet{n}.xml": SHEET_HEAD + b"<row>" + b"<c/>" * 250_000 + b"</row>"
            for n in (2, 3, 4)
        }),
        "cells",
    ),
    "a cell in the last row": (
        lambda: workbook(b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>'), "rows",
    ),
    "a cell in the last column": (
        lambda: workbook(b'<row r="1"><c r="XFD1"><v>1</v></c></row>'), "columns",
    ),
    "rows without an end": (lambda: workbook(b"<row/>" * 120_000), "rows"),
    "entities": (
        lambda: workbook(b"", **{"xl/styles.xml": b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'}),
        "entities",
    ),
    "entities in the sheet": (
        lambda: packed({
            "[Content_Types].xml": CONTENT_TYPES, "xl/workbook.xml": b"<workbook/>",
            "xl/worksheets/sheet1.xml":
                b'<!doctype x [<!ENTITY x SYSTEM "file:///etc/passwd">]><worksheet>&x;</worksheet>',
        }),
        "entities",
    ),
    "utf-16": (
        lambda: workbook(b"", **{"xl/styles.xml": '<!DOCTYPE x><x/>'.encode("utf-16")}),
        "encoding",
    ),
    "macros": (lambda: workbook(b"", **{"xl/vbaProject.bin": b"x"}), "macros"),
    "two hundred sheets": (
        lambda: workbook(b"", **{f"xl/worksheets/s{n}.xml": b"<a/>" for n in range(200)}),
        "sheets",
    ),
    "a document": (lambda: packed({"word/document.xml": b"<x/>"}), "not_workbook"),
    "a tag that never ends": (lambda: workbook(b"<row " + os.urandom(MIB).hex().encode()), "not_workbook"),
}  # fmt: skip


@pytest.mark.parametrize(("make", "why"), ARCHIVES.values(), ids=ARCHIVES)
def test_an_archive_is_refused_from_its_headers(make: Callable[[], bytes], why: str) -> None:
    with pytest.raises(UnsafeArchive) as refused:
        check_archive(make())

    assert refused.value.params["why"] == why


@pytest.mark.parametrize("name", NAMES)
def test_a_name_that_leaves_its_folder_is_refused(name: str) -> None:
    with pytest.raises(UnsafeArchive) as refused:
        check_archive(by_hand([(name, deflated(b"x"), 1, 0)]))

    assert refused.value.params["why"] == "name"


@pytest.mark.parametrize(("make", "why"), SHEETS.values(), ids=SHEETS)
def test_a_workbook_is_refused_before_it_is_read(make: Callable[[], bytes], why: str) -> None:
    with pytest.raises(UnsafeArchive) as refused:
        list(workbook_rows(make()))

    assert refused.value.params["why"] == why


def test_an_honest_workbook_is_read() -> None:
    rows = list(workbook_rows(honest(3)))

    assert rows == [("区域", row, 1.5, None, None) for row in range(3)]


def test_a_table_of_a_hundred_thousand_cells_is_within_the_limits() -> None:
    check_workbook(honest(20_000))


@pytest.mark.parametrize("limit", [SheetLimits(most_cells=10), SheetLimits(most_rows=2)])
def test_a_caller_may_ask_for_less(limit: SheetLimits) -> None:
    with pytest.raises(UnsafeArchive):
        check_workbook(honest(3), sheets=limit)


def test_bombs_cost_no_memory() -> None:
    bombs = [zip_bomb(), workbook(b"<row>" + b"<c/>" * 5_000_000 + b"</row>")]
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss

    for bomb in bombs:
        with pytest.raises(UnsafeArchive):
            check_workbook(bomb)

    grown_kib = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    assert grown_kib < 100 * 1024


def test_a_header_that_lies_unpacks_no_further_than_it_says() -> None:
    body = deflated(b"<x/>" + bytes(20 * MIB))
    data = by_hand([
        ("[Content_Types].xml", deflated(CONTENT_TYPES), len(CONTENT_TYPES), 0),
        ("xl/workbook.xml", body, 4, 0),
    ])  # fmt: skip

    with pytest.raises(UnsafeArchive) as refused:
        check_workbook(data, Limits())

    assert refused.value.params["why"] == "not_zip"
