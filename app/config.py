"""Settings: read from the environment and `var/secrets.json` once, checked, frozen."""

import base64
import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit, urlunsplit
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent

#: Login roles of the database; the superuser of a private cluster is `wangge_admin`.
ROLES = (
    "wangge_owner",
    "wangge_app",
    "wangge_worker",
    "wangge_tiles",
    "wangge_auditor",
    "wangge_backup",
)
ADMIN = "wangge_admin"
DATABASE = "wangge"

#: A socket address takes 107 bytes, and PostgreSQL adds `/.s.PGSQL.5432`.
LONGEST_SOCKET_FOLDER = 90


class InvalidSetting(Exception):
    """A setting is missing or has a value that the platform cannot work with."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that may differ between two installations.

    Each field is read from `WANGGE_<NAME IN CAPITALS>`; `docs/settings.md` describes them.
    """

    admin_url: str  #: superuser or owner of the server; makes roles and extensions
    database_url: str  #: role wangge_app: web and live processes
    owner_url: str  #: role wangge_owner: migrations
    worker_url: str  #: role wangge_worker: jobs, sealer, imports, simulator
    tiles_url: str  #: role wangge_tiles: vector tiles
    is_private_cluster: bool  #: the cluster under var/pg is ours to start and stop
    var_dir: Path
    blob_dir: Path
    secret_key: str = field(repr=False)  #: signs cookies and tokens
    data_key: bytes = field(repr=False)  #: 32 bytes, encrypts personal columns
    index_key: bytes = field(repr=False)  #: 32 bytes, keys the blind indexes
    crypto_provider: str = ""  #: intl or gm; empty: as the key ring says
    data_keys: str = field(
        default="", repr=False
    )  #: "2:base64,1:base64": the first seals, all open; empty: the key ring
    index_keys: str = field(default="", repr=False)  #: the same for blind indexes
    signing_keys: str = field(default="", repr=False)  #: the same for signatures
    master_key_file: str = ""  #: base64 of 32 bytes; wraps the key ring; empty: not wrapped
    city_zone: str = "Asia/Shanghai"
    county_code: str = "339901"
    metric_srid: int = 0  #: 0: derived from the data
    envelope: str = ""  #: "west,south,east,north"; empty: derived from the data
    node: int = 0
    bind: str = "127.0.0.1"
    web_port: int = 8000
    live_port: int = 8001
    live_origin: str = ""  #: empty: the host of the request with `live_port`
    web_workers: int = 2
    web_threads: int = 16
    https: bool = False
    trusted_proxies: int = 0
    outgoing: str = ""  #: places that may be called: "id=address [network ...]", with commas
    import_hosts: str = ""  #: databases that tables may be taken from: "id=postgresql://host/name"
    sms_door: str = ""  #: id in WANGGE_OUTGOING of the text-message gateway; empty: none
    hotline: str = "96150"  #: stands before the number that the public is told
    mail_box: str = ""  #: letters: imaps://login@host:993/INBOX; empty: no letter box
    mail_server: str = ""  #: answers: smtps://login@host:465 or smtp:// with STARTTLS
    mail_password: str = field(default="", repr=False)  #: of both logins
    mail_from: str = ""  #: the address that answers come from
    mail_every_s: int = 60  #: how often the letter box is looked into
    mail_confidential: bool = False  #: every letter of the box is confidential
    trusted_hosts: str = ""  #: names of the site; empty: numbers, localhost, the machine's name
    max_photo_bytes: int = 15 * 1024 * 1024
    max_body_bytes: int = 20 * 1024 * 1024
    audit_heads_dir: str = ""  #: signed heads of the audit log; empty: `heads` under var
    audit_limit_s: int = 60  #: the log unsealed for longer stops sensitive acts; 0: never
    export_dir: str = ""  #: files of approved exports until they expire; empty: under var
    password_profile: str = "mlps3"  #: mlps3 or asvs  # noqa: S105 - the name of a rule
    second_factor: str = "all"  #: who must have one: all, admins; offered: nobody
    totp_digest: str = "sha1"  #: sha1, sha256 or sm3
    failures_per_source: int = 5  #: failed sign-ins of one address in 15 minutes
    oidc_issuer: str = ""  #: address of the OpenID provider; empty: none
    oidc_client_id: str = ""
    oidc_client_secret: str = ""
    oidc_name: str = ""  #: how the button on the sign-in page names the provider
    oidc_login_claim: str = ""  #: claim that names the login; empty: administrators link
    log_level: str = "INFO"
    allow_unsafe_server: bool = False  #: start on a server that may lose acknowledged writes

    @classmethod
    def load(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        """Read and check the settings; raise `InvalidSetting` naming the one that is wrong."""
        env = os.environ if environ is None else environ
        var_dir = var_folder(env)
        kept = read_secrets(var_dir)
        settings = cls(
            **_urls(env, var_dir, kept),
            var_dir=var_dir,
            blob_dir=Path(env.get("WANGGE_BLOB_DIR") or var_dir / "blobs"),
            secret_key=env.get("WANGGE_SECRET_KEY") or kept["secret_key"],
            data_key=_key("data_key", env.get("WANGGE_DATA_KEY") or kept["data_key"]),
            index_key=_key("index_key", env.get("WANGGE_INDEX_KEY") or kept["index_key"]),
            **_simple(env),
        )
        settings._check()
        return settings

    @property
    def envelope_degrees(self) -> tuple[float, float, float, float] | None:
        """West, south, east and north of the setting; None where it is derived from the data."""
        return _envelope(self.envelope) if self.envelope else None

    @property
    def heads_dir(self) -> Path:
        """Where signed heads of the audit log are written; better another machine's disk."""
        return Path(self.audit_heads_dir) if self.audit_heads_dir else self.var_dir / "heads"

    @property
    def exports_dir(self) -> Path:
        """Where files of approved exports lie until they expire."""
        return Path(self.export_dir) if self.export_dir else self.var_dir / "exports"

    def passwords(self) -> dict[str, str]:
        """Read the password of each database role."""
        kept = read_secrets(self.var_dir)
        return {role: kept[role] for role in ROLES}

    def _check(self) -> None:
        """Raise `InvalidSetting` for a value outside what it can be."""
        if len(self.county_code) != 6 or not self.county_code.isdecimal():
            raise InvalidSetting(f"WANGGE_COUNTY_CODE is {self.county_code!r}, needs 6 digits")
        if not 0 <= self.node < 2**19:
            raise InvalidSetting(f"WANGGE_NODE is {self.node}, needs 0 to {2**19 - 1}")
        for name in ("web_port", "live_port"):
            if not 0 < getattr(self, name) < 65536:
                raise InvalidSetting(f"WANGGE_{name.upper()} is not a port")
        self._check_identity()
        self._check_mail()
        if len(self.secret_key) < 32:
            raise InvalidSetting("WANGGE_SECRET_KEY is shorter than 32 characters")
        try:
            ZoneInfo(self.city_zone)
        except (KeyError, OSError, ValueError) as error:
            raise InvalidSetting(f"WANGGE_CITY_ZONE: no zone {self.city_zone!r}") from error
        if self.envelope:
            _envelope(self.envelope)
        self._check_keys()

    def _check_keys(self) -> None:
        if self.crypto_provider not in ("", "intl", "gm"):
            raise InvalidSetting("WANGGE_CRYPTO_PROVIDER is neither intl nor gm")
        if not (self.data_keys or self.index_keys or self.signing_keys):
            return
        from grids.secrets import given_keys  # late: most starts have no such setting

        for name in ("data_keys", "index_keys", "signing_keys"):
            try:
                if text := getattr(self, name):
                    given_keys(text)
            except ValueError as error:
                raise InvalidSetting(f"WANGGE_{name.upper()}: {error}") from error

    def _check_mail(self) -> None:
        """Raise `InvalidSetting` for mail servers that are not named whole."""
        for name, schemes in (("mail_box", ("imaps://", "imap://")),
                              ("mail_server", ("smtps://", "smtp://"))):  # fmt: skip
            value = getattr(self, name)
            if value and not value.startswith(schemes):
                raise InvalidSetting(f"WANGGE_{name.upper()} needs {' or '.join(schemes)}")
        if self.mail_server and "@" not in self.mail_from:
            raise InvalidSetting("WANGGE_MAIL_FROM is missing: answers come from an address")

    def _check_identity(self) -> None:
        """Raise `InvalidSetting` for rules of signing in that do not exist."""
        _check_choice("password_profile", self.password_profile, ("mlps3", "asvs"))
        _check_choice("second_factor", self.second_factor, ("all", "admins", "offered"))
        _check_choice("totp_digest", self.totp_digest, ("sha1", "sha256", "sm3"))
        if self.failures_per_source < 1:
            raise InvalidSetting("WANGGE_FAILURES_PER_SOURCE needs 1 or more")
        is_plain = urlsplit(self.oidc_issuer).hostname in ("127.0.0.1", "localhost")
        if self.oidc_issuer and not self.oidc_issuer.startswith("https://") and not is_plain:
            raise InvalidSetting("WANGGE_OIDC_ISSUER needs https://")
        if self.oidc_issuer and not (self.oidc_client_id and self.oidc_client_secret):
            raise InvalidSetting("WANGGE_OIDC_CLIENT_ID and _SECRET are missing")


def _check_choice(name: str, value: str, choices: tuple[str, ...]) -> None:
    """Raise `InvalidSetting` for a word that is none of the choices."""
    if value not in choices:
        raise InvalidSetting(
            f"WANGGE_{name.upper()} is {value!r}, needs one of {', '.join(choices)}"
        )


def var_folder(environ: Mapping[str, str]) -> Path:
    """Name the folder of everything that is made at run time."""
    return Path(environ.get("WANGGE_VAR_DIR") or ROOT / "var").resolve()


def read_secrets(var_dir: Path) -> dict[str, str]:
    """Read `secrets.json`, made on first need with random values and mode 0600."""
    path = var_dir / "secrets.json"
    if not path.exists():
        var_dir.mkdir(parents=True, exist_ok=True)
        _write_once(path, json.dumps(_new_secrets(), indent=1))
    kept: dict[str, str] = json.loads(path.read_text())
    missing = {"secret_key", "data_key", "index_key", ADMIN, *ROLES} - kept.keys()
    if missing:
        raise InvalidSetting(f"{path.name} lacks {', '.join(sorted(missing))}")
    return kept


def server_url(socket: str, user: str, password: str, database: str = DATABASE) -> str:
    """Write the address of a server that listens on a socket folder."""
    return f"postgresql://{user}:{quote(password)}@/{database}?host={quote(socket)}"


def socket_folder(cluster_dir: Path) -> Path:
    """Choose the socket folder of a private cluster: its own, or a short one of this user.

    The choice depends on the path alone, so every process finds the same folder.
    """
    own = cluster_dir / "run"
    if len(os.fsencode(own)) <= LONGEST_SOCKET_FOLDER:
        return own
    mark = hashlib.sha256(os.fsencode(cluster_dir)).hexdigest()[:12]
    return Path("/tmp") / f"wangge-{os.getuid()}-{mark}"  # noqa: S108 - made with mode 0700


def without_password(url: str) -> str:
    """Write an address that may be shown."""
    parts = urlsplit(url)
    user, _, host = parts.netloc.rpartition("@")
    return urlunsplit(parts._replace(netloc=f"{user.partition(':')[0]}:***@{host}"))


def as_role(url: str, user: str, password: str) -> str:
    """Write the same server and database for another role."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{quote(password)}@{host}"))


def _urls(env: Mapping[str, str], var_dir: Path, kept: dict[str, str]) -> dict[str, Any]:
    """Write the address for each role, from the server given or the private cluster."""
    own = env.get("WANGGE_DATABASE_URL", "")
    socket = str(socket_folder(var_dir / "pg"))
    admin = own.replace("postgresql+psycopg://", "postgresql://") or server_url(
        socket, ADMIN, kept[ADMIN]
    )
    if not admin.startswith(("postgresql://", "postgres://")):
        raise InvalidSetting("WANGGE_DATABASE_URL does not start with postgresql://")
    roles = {"database": "app", "owner": "owner", "worker": "worker", "tiles": "tiles"}
    urls: dict[str, Any] = {
        f"{field}_url": env.get(f"WANGGE_{role.upper()}_URL")
        or as_role(admin, f"wangge_{role}", kept[f"wangge_{role}"])
        for field, role in roles.items()
    }
    return {**urls, "admin_url": admin, "is_private_cluster": not own}


def _simple(env: Mapping[str, str]) -> dict[str, Any]:
    """Read the fields that are a plain text, number or yes/no."""
    found: dict[str, Any] = {}
    for entry in fields(Settings):
        raw = env.get(f"WANGGE_{entry.name.upper()}", "")
        if not raw or entry.type not in (int, str, bool) or entry.name in _NOT_SIMPLE:
            continue
        found[entry.name] = _value(entry.name, entry.type, raw)
    return found


_NOT_SIMPLE = {
    "admin_url",
    "database_url",
    "owner_url",
    "worker_url",
    "tiles_url",
    "is_private_cluster",
    "secret_key",
}


def _value(name: str, kind: object, raw: str) -> object:
    """Turn the text of one variable into the type of its field."""
    if kind is bool:
        words = {"1": True, "true": True, "yes": True, "0": False, "false": False, "no": False}
        if raw.lower() not in words:
            raise InvalidSetting(f"WANGGE_{name.upper()} is {raw!r}, needs 1 or 0")
        return words[raw.lower()]
    if kind is int:
        try:
            return int(raw)
        except ValueError:
            raise InvalidSetting(f"WANGGE_{name.upper()} is {raw!r}, needs a number") from None
    return raw


def _key(name: str, text: str) -> bytes:
    """Decode a 32-byte key."""
    try:
        key = base64.b64decode(text, validate=True)
    except ValueError:
        raise InvalidSetting(f"WANGGE_{name.upper()} is not base64") from None
    if len(key) != 32:
        raise InvalidSetting(f"WANGGE_{name.upper()} has {len(key)} bytes, needs 32")
    return key


def _envelope(text: str) -> tuple[float, float, float, float]:
    """Read west, south, east, north."""
    try:
        west, south, east, north = (float(part) for part in text.split(","))
    except ValueError:
        raise InvalidSetting("WANGGE_ENVELOPE needs west,south,east,north") from None
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise InvalidSetting("WANGGE_ENVELOPE is not an area in degrees, longitude first")
    return west, south, east, north


def _new_secrets() -> dict[str, str]:
    """Draw a password for each role and a key for each use."""
    keys = {name: _random_key() for name in ("data_key", "index_key")}
    passwords = {name: secrets.token_urlsafe(24) for name in (ADMIN, *ROLES)}
    return {"secret_key": secrets.token_urlsafe(48), **keys, **passwords}


def _random_key() -> str:
    return base64.b64encode(secrets.token_bytes(32)).decode()


def _write_once(path: Path, text: str) -> None:
    """Write a file that only its owner may read; of two writers the first one wins."""
    draft = path.with_name(f"{path.name}.{os.getpid()}")
    draft.touch(mode=0o600)
    draft.write_text(text)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        draft.unlink()
