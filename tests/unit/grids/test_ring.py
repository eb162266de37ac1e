"""The key ring: several keys with ids, changed under processes that run, never half written."""

import base64
import json
import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.config import InvalidSetting, Settings
from app.keys import ring_of, signer_of, vault_of
from grids.secrets import (
    MasterKeyWrong,
    RingRefused,
    SealBroken,
    Signer,
    Vault,
    fixed_ring,
    mark_of,
    verify_with,
)

NOW = datetime(2026, 3, 4, tzinfo=UTC)
PLACE = ("person", 7, "name_sealed")


def key(number: int) -> str:
    return base64.b64encode(bytes([number]) * 32).decode()


@pytest.fixture
def environ(tmp_path: Path) -> dict[str, str]:
    return {"WANGGE_VAR_DIR": str(tmp_path)}


def settings_of(environ: dict[str, str], **more: str) -> Settings:
    return Settings.load({**environ, **more})


def test_another_process_seals_with_a_new_key_at_once(environ):
    one, other = vault_of(settings_of(environ)), vault_of(settings_of(environ))
    old = one.seal(*PLACE, "张三")

    ring_of(settings_of(environ)).add("data", at=NOW)
    ring_of(settings_of(environ)).use_provider("gm", at=NOW)
    new = other.seal(*PLACE, "张三")

    assert (mark_of(old), mark_of(new)) == ((1, 1), (2, 2))
    assert one.open(*PLACE, new) == other.open(*PLACE, old) == "张三"


def test_a_search_asks_for_every_key_of_the_ring(environ):
    vault = vault_of(settings_of(environ))
    old = vault.blind_index("person", "phone", "1")

    ring_of(settings_of(environ)).add("index", at=NOW)

    assert vault.blind_index("person", "phone", "1") != old
    assert {old, vault.blind_index("person", "phone", "1")} <= set(
        vault.blind_indexes("person", "phone", "1")
    )


def test_a_forgotten_key_opens_nothing(environ):
    ring, vault = ring_of(settings_of(environ)), vault_of(settings_of(environ))
    old = vault.seal(*PLACE, "张三")
    ring.add("data", at=NOW)
    ring.remove("data", 1)

    with pytest.raises(SealBroken):
        vault.open(*PLACE, old)


def test_tracking_codes_outlive_every_key(environ):
    ring, vault = ring_of(settings_of(environ)), vault_of(settings_of(environ))
    before = vault.code("incident", "1")
    ring.add("index", at=NOW)
    ring.remove("index", 1)
    ring.use_provider("gm", at=NOW)

    assert vault.code("incident", "1") == before


@pytest.mark.parametrize(("kind", "key_id"), [("data", 1), ("index", 1), ("data", 9)])
def test_the_current_key_and_an_unknown_one_do_not_go(environ, kind, key_id):
    with pytest.raises(RingRefused):
        ring_of(settings_of(environ)).remove(kind, key_id)


def test_signing_keys_stay_so_that_old_signatures_verify(environ):
    signer, ring = signer_of(settings_of(environ)), ring_of(settings_of(environ))
    old = signer.sign(b"head")
    ring.add("signing", at=NOW)
    ring.use_provider("gm", at=NOW)
    new = signer.sign(b"head")

    with pytest.raises(RingRefused):
        ring.remove("signing", 1)
    assert signer.verify(b"head", old)
    assert signer.verify(b"head", new)
    for signature in (old, new):
        assert verify_with(signer.public_keys(), b"head", signature)
        assert not verify_with(signer.public_keys(), b"heap", signature)
        assert not verify_with(signer.public_keys(), b"head", _changed(signature))


def _changed(signature: bytes) -> bytes:
    return signature[:20] + bytes([signature[20] ^ 1]) + signature[21:]


@pytest.mark.parametrize("signature", [b"", b"\1\1", b"\3\1" + bytes(64), b"\1\7" + bytes(64)])
def test_what_is_no_signature_does_not_verify(signature):
    signer = Signer(fixed_ring({1: bytes(32)}, bytes(32)))

    assert not signer.verify(b"head", signature)
    assert not verify_with(signer.public_keys(), b"head", signature)


def test_the_file_is_its_owners_only_and_keeps_everything_else(environ, tmp_path):
    before = json.loads(_file(environ, tmp_path).read_text())
    ring_of(settings_of(environ)).add("data", at=NOW)
    after = json.loads(_file(environ, tmp_path).read_text())

    assert _file(environ, tmp_path).stat().st_mode & 0o777 == 0o600
    assert {k: v for k, v in after.items() if k != "ring"} == {
        k: v for k, v in before.items() if k != "ring"
    }
    assert not list(tmp_path.glob("*.new"))


def _file(environ: dict[str, str], folder: Path) -> Path:
    settings_of(environ)
    return folder / "secrets.json"


def test_keys_of_settings_are_not_changed_by_the_command(environ):
    given = settings_of(environ, WANGGE_DATA_KEYS=f"2:{key(2)},1:{key(1)}")
    ring = ring_of(given)

    assert ring.ring().data.current == 2
    assert set(ring.ring().data.keys) == {1, 2}
    with pytest.raises(RingRefused, match="settings"):
        ring.add("data", at=NOW)
    with pytest.raises(RingRefused, match="setting"):
        ring_of(settings_of(environ, WANGGE_CRYPTO_PROVIDER="gm")).use_provider("intl", at=NOW)


def test_the_first_key_of_a_setting_seals_and_all_open(environ):
    staged = settings_of(environ, WANGGE_DATA_KEYS=f"1:{key(1)},2:{key(2)}")
    switched = settings_of(environ, WANGGE_DATA_KEYS=f"2:{key(2)},1:{key(1)}")
    old, new = vault_of(staged).seal(*PLACE, "甲"), vault_of(switched).seal(*PLACE, "甲")

    assert (old[1], new[1]) == (1, 2)
    assert vault_of(staged).open(*PLACE, new) == vault_of(switched).open(*PLACE, old) == "甲"


@pytest.mark.parametrize(
    "more",
    [
        {"WANGGE_DATA_KEYS": "1"},
        {"WANGGE_DATA_KEYS": "one:" + key(1)},
        {"WANGGE_DATA_KEYS": "1:" + key(1)[:20]},
        {"WANGGE_INDEX_KEYS": "0:" + key(1)},
        {"WANGGE_SIGNING_KEYS": "256:" + key(1)},
        {"WANGGE_CRYPTO_PROVIDER": "rot13"},
    ],
)
def test_a_wrong_setting_is_named_and_not_repeated(environ, more):
    with pytest.raises(InvalidSetting) as refused:
        settings_of(environ, **more)

    (name, value) = next(iter(more.items()))
    assert name in str(refused.value)
    assert value not in str(refused.value)


@pytest.mark.parametrize("suite", ["intl", "gm"])
def test_under_a_master_key_the_file_holds_no_key_in_the_clear(environ, tmp_path, suite):
    before = vault_of(settings_of(environ)).seal(*PLACE, "张三")
    master, wrong = tmp_path / "master", tmp_path / "wrong"
    master.write_text(key(9) + "\n")
    wrong.write_text(key(8))
    more = {"WANGGE_MASTER_KEY_FILE": str(master)}
    ring = ring_of(settings_of(environ, **more))
    ring.use_provider(suite, at=NOW)
    ring.add("data", at=NOW)

    vault = vault_of(settings_of(environ, **more))
    kept = json.loads((tmp_path / "secrets.json").read_text())["ring"]
    texts = [text for kind in ("data", "index", "signing") for text in kept[kind]["keys"].values()]
    assert len(texts) == 4
    assert all(text.startswith("wrapped:") for text in texts)
    assert vault.open(*PLACE, before) == vault.open(*PLACE, vault.seal(*PLACE, "张三"))
    for other in ({}, {"WANGGE_MASTER_KEY_FILE": str(wrong)}):
        with pytest.raises(MasterKeyWrong):
            vault_of(settings_of(environ, **other)).open(*PLACE, before)
    kept["data"]["keys"]["1"], kept["data"]["keys"]["2"] = texts[1], texts[0]
    _put(tmp_path, kept)
    with pytest.raises(MasterKeyWrong):
        vault_of(settings_of(environ, **more)).open(*PLACE, before)


def _put(folder: Path, ring: dict[str, object]) -> None:
    path = folder / "secrets.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "ring": ring}))


def test_no_key_is_in_what_a_log_may_print(environ):
    given = settings_of(environ, WANGGE_DATA_KEYS=f"1:{key(1)}")
    ring = ring_of(given).ring()

    shown = f"{given!r} {ring!r} {Vault(ring)!r}"

    assert key(1) not in shown
    assert repr(bytes([1]) * 32)[2:20] not in shown
    assert given.secret_key not in shown


def test_a_value_of_the_first_release_opens(environ):
    """The form of sealed values has not changed: algorithm, key id, nonce, ciphertext."""
    settings = settings_of(environ)
    sealed = Vault({1: settings.data_key}, settings.index_key).seal(*PLACE, "张三")

    assert vault_of(settings).open(*PLACE, sealed) == "张三"
    assert os.fspath(settings.var_dir)
