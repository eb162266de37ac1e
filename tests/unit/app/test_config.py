"""Settings say which variable is wrong, and secrets are made once, for their owner only."""

import stat
from pathlib import Path

import pytest

from app.config import InvalidSetting, Settings, socket_folder, without_password


def load(var_dir: Path, **more: str) -> Settings:
    return Settings.load({"WANGGE_VAR_DIR": str(var_dir), **more})


def test_nothing_needs_to_be_set(tmp_path: Path) -> None:
    settings = load(tmp_path)

    assert settings.is_private_cluster
    assert settings.database_url.startswith("postgresql://wangge_app:")
    assert len(settings.data_key) == len(settings.index_key) == 32


def test_secrets_are_random_stay_and_are_the_owners_alone(tmp_path: Path) -> None:
    first, again = load(tmp_path / "a"), load(tmp_path / "a")
    other = load(tmp_path / "b")

    mode = stat.S_IMODE((tmp_path / "a/secrets.json").stat().st_mode)
    assert mode == 0o600
    assert first.secret_key == again.secret_key != other.secret_key
    assert first.owner_url != other.owner_url


def test_each_role_has_a_password_of_its_own_on_a_server_of_ones_own(tmp_path: Path) -> None:
    settings = load(tmp_path, WANGGE_DATABASE_URL="postgresql://boss:pw@db.example:6000/city")

    addresses = {settings.database_url, settings.owner_url, settings.worker_url, settings.tiles_url}
    assert len(addresses) == 4
    assert all(address.endswith("@db.example:6000/city") for address in addresses)
    assert not settings.is_private_cluster


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("WANGGE_COUNTY_CODE", "12"),
        ("WANGGE_NODE", "-1"),
        ("WANGGE_WEB_PORT", "eighty"),
        ("WANGGE_HTTPS", "maybe"),
        ("WANGGE_CITY_ZONE", "Asia/Nowhere"),
        ("WANGGE_ENVELOPE", "30,120,31,121,5"),
        ("WANGGE_ENVELOPE", "121,30,120,31"),
        ("WANGGE_DATABASE_URL", "mysql://x"),
        ("WANGGE_SECRET_KEY", "short"),
        ("WANGGE_DATA_KEY", "AAAA"),
        ("WANGGE_DATA_KEY", "not base64!"),
    ],
)
def test_a_wrong_value_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(InvalidSetting, match=name):
        load(tmp_path, **{name: value})


def test_a_shown_address_has_no_password() -> None:
    assert without_password("postgresql://a:secret@h/d") == "postgresql://a:***@h/d"


def test_a_long_path_gets_a_short_socket_folder() -> None:
    near, far = Path("/srv/pg"), Path("/srv") / ("x" * 120) / "pg"

    assert socket_folder(near) == near / "run"
    assert len(str(socket_folder(far))) < 60
    assert socket_folder(far) == socket_folder(far) != socket_folder(far / "y")
