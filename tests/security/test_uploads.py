"""What is kept of an upload is a clean picture or nothing (S40, S51, R45)."""

import hashlib
import io
import re
import time
from pathlib import Path

import pytest
from flask import Flask
from PIL import Image
from sqlalchemy import func, select

from app import uploads
from grids import blobs
from grids.incidents.models import Blob
from tests.security.corpus import CLEANED, HEIC, MARK, PHP, REFUSED, jpeg
from tests.support import cases

TRACES = (MARK, PHP, b"wangge-polyglot", b"Exif", b"GPS", b"<script", b"<?php", b"PK\x03\x04", b"%PDF",
          b"ICC_PROFILE", b"http://ns.adobe.com", b"8BIM")  # fmt: skip


@pytest.fixture
def store(app: Flask, settings) -> blobs.Store:
    return blobs.Store(settings.blob_dir)


@pytest.fixture
def city(session) -> None:
    cases.build_city(session)


def put(client, data: bytes, name: str = "", base: str = "/api/public/blobs"):
    sha256 = hashlib.sha256(data).hexdigest()
    return client.put(f"{base}/{name or sha256}", data=data, content_type="image/jpeg")


def files(store: blobs.Store) -> set[Path]:
    return {path for _, path in store.files()}


def test_the_corpus_is_as_large_as_promised() -> None:
    assert len(REFUSED) + len(CLEANED) >= 70


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_no_picture_leaves_nothing(city, client, session, store, name: str) -> None:
    before, started = files(store), time.process_time()

    answer = put(client, REFUSED[name]())

    assert answer.status_code == 422, answer.text
    assert answer.json["code"] in ("blob.not_a_photo", "blob.too_large")
    assert files(store) == before
    assert session.scalar(select(func.count()).select_from(Blob)) == 0
    # Generous, for a loaded machine: a bomb that is drawn takes minutes.
    assert time.process_time() - started < 20


@pytest.mark.parametrize("name", CLEANED)
def test_what_is_shown_is_drawn_anew(city, client, session, store, name: str) -> None:
    answer = put(client, CLEANED[name]())

    assert answer.status_code == 201, answer.text
    row = session.scalars(select(Blob)).one()
    for sha256 in (row.public_sha256, row.thumb_sha256):
        shown = store.read("public", sha256)
        drawn = Image.open(io.BytesIO(shown))
        assert drawn.format == "JPEG"
        assert drawn.mode == "RGB"
        assert not dict(drawn.getexif())
        assert set(drawn.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density", "progressive",
                                   "progression", "dpi"}  # fmt: skip
        assert shown.endswith(b"\xff\xd9")
        assert shown.count(b"\xff\xd9") == 1
        assert [trace for trace in TRACES if trace in shown] == []


def test_a_picture_of_an_iphone_is_refused_with_its_reason(city, client) -> None:
    answer = put(client, HEIC)

    assert answer.json["code"] == "blob.not_a_photo"
    assert "JPEG" in answer.json["detail"]


@pytest.mark.parametrize("name", ["..%2f..%2fetc%2fpasswd", "x", "0" * 63, "0" * 64 + ".html", "g" * 64,
                                  "%00", "0" * 64])  # fmt: skip
def test_the_name_of_a_file_is_its_hash_and_nothing_else(city, client, store, name: str) -> None:
    before = files(store)

    answer = put(client, jpeg(), name)

    assert answer.status_code in (404, 405, 422), answer.text
    assert files(store) == before


def test_no_address_gives_the_original(city, sign_in, session) -> None:
    client = sign_in("worker")
    data = CLEANED["jpeg and html"]()
    assert put(client, data, base="/api/blobs").status_code == 201
    row = session.scalars(select(Blob)).one()

    assert client.get(f"/blobs/{row.sha256}").status_code == 404
    shown = client.get(f"/blobs/{row.public_sha256}")
    assert shown.status_code == 200
    assert shown.data != data


def test_a_photo_is_served_as_a_picture_and_cannot_be_a_page(city, sign_in, session) -> None:
    client = sign_in("worker")
    put(client, jpeg(), base="/api/blobs")
    row = session.scalars(select(Blob)).one()

    shown = client.get(f"/blobs/{row.public_sha256}")

    assert shown.mimetype == "image/jpeg"
    assert shown.headers["X-Content-Type-Options"] == "nosniff"
    assert re.fullmatch(r'inline; filename="\w+\.jpg"', shown.headers["Content-Disposition"])
    assert shown.headers["Content-Security-Policy"].endswith("sandbox")
    assert "public" not in shown.headers["Cache-Control"]


def test_nobody_fills_the_disk(city, app, sign_in, monkeypatch) -> None:
    monkeypatch.setattr(uploads, "MOST_KIB", len(jpeg()) // 1024 * 3)
    client, other = sign_in("worker"), sign_in("worker")

    answers = [put(client, jpeg(), base="/api/blobs").status_code for _ in range(5)]

    assert answers == [201, 201, 201, 429, 429]
    assert put(other, jpeg(), base="/api/blobs").status_code == 201


def test_the_public_has_a_quota_of_its_own(city, client, monkeypatch) -> None:
    monkeypatch.setattr(uploads, "MOST_KIB_PUBLIC", len(jpeg()) // 1024)

    assert [put(client, jpeg()).status_code for _ in range(2)] == [201, 429]
