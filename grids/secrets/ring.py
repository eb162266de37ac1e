"""The key ring: keys with ids for data, blind indexes and signatures, and which of them are current.

A ring lives in `secrets.json` (mode 0600) or in settings. Whoever holds a `RingFile` sees a
change of the file with the next value that it seals or opens: a new key needs no restart.
"""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Final, Literal

from grids.errors import Invalid
from grids.secrets.providers import PROVIDERS
from grids.secrets.wrapping import WRAPPED, encoded, unwrapped, wrapped

Kind = Literal["data", "index", "signing"]
KINDS: Final[tuple[Kind, ...]] = ("data", "index", "signing")
KEY_BYTES: Final = 32


class RingRefused(Invalid):
    """The key ring cannot be changed this way."""

    code = "secrets.ring_refused"


@dataclass(frozen=True)
class KeySet:
    """Keys of one kind. The current one makes new values, all of them read old ones."""

    keys: Mapping[int, bytes] = field(repr=False)
    current: int
    since: datetime | None = None  #: when the current key became it

    def __post_init__(self) -> None:
        """Refuse ids that no byte holds, short keys and a current key that is missing."""
        if not self.keys or not all(0 < key_id < 256 for key_id in self.keys):
            raise ValueError("a ring needs keys with ids from 1 to 255")
        if any(len(key) < KEY_BYTES for key in self.keys.values()):
            raise ValueError(f"a key is shorter than {KEY_BYTES} bytes")
        if self.current not in self.keys:
            raise ValueError(f"the current key {self.current} is not in the ring")


@dataclass(frozen=True)
class KeyRing:
    """All keys of an installation at one moment."""

    provider: str
    data: KeySet
    index: KeySet
    signing: KeySet
    code_key: bytes = field(repr=False)  #: of codes handed out on paper; never rotates

    def __post_init__(self) -> None:
        """Refuse a suite of algorithms that does not exist."""
        if self.provider not in PROVIDERS:
            raise ValueError(f"no provider {self.provider!r}; there are {', '.join(PROVIDERS)}")

    def of(self, kind: Kind) -> KeySet:
        """Return the keys of one kind."""
        found: KeySet = getattr(self, kind)
        return found


def parse_keys(text: str) -> dict[int, bytes]:
    """Read `1:base64,2:base64`. Raises `ValueError` naming what is wrong, never a key."""
    found: dict[int, bytes] = {}
    for number, part in enumerate(text.split(","), start=1):
        key_id, _, encoded = part.strip().partition(":")
        try:
            found[int(key_id)] = base64.b64decode(encoded, validate=True)
        except ValueError:
            raise ValueError(f"entry {number} is not id:base64") from None
    return found


def given_keys(text: str) -> KeySet:
    """Read the keys of a setting; the first of the list is the current one."""
    keys = parse_keys(text)
    return KeySet(keys, next(iter(keys)))


def fixed_ring(keys: Mapping[int, bytes], index_key: bytes, provider: str = "intl") -> KeyRing:
    """Make a ring that never changes, the highest data key current."""
    index = KeySet({1: index_key}, 1)
    return KeyRing(provider, KeySet(dict(keys), max(keys, default=0)), index, index, index_key)


class RingFile:
    """The ring of an installation, kept under `ring` in its file of secrets.

    `first` are the keys with id 1 of a file that has no ring yet; what is missing there is
    drawn. `given` are keys that the settings hold: for their kind the file is not asked, and
    not changed. Under a `master` key the file holds no key in the clear: each change of the
    ring wraps all of them (envelope encryption).
    """

    def __init__(
        self,
        path: Path,
        *,
        first: Mapping[Kind, bytes],
        code_key: bytes,
        given: Mapping[Kind, KeySet] | None = None,
        provider: str = "",
        master: bytes = b"",
    ) -> None:
        self._path = path
        self._master = master
        self._first = first
        self._code_key = code_key
        self._given = dict(given or {})
        self._provider = provider
        self._seen: tuple[int, ...] = ()
        self._ring: KeyRing | None = None

    def ring(self) -> KeyRing:
        """Return the ring as the file has it now; the file is read again when it changed."""
        if self._ring is not None and len(self._given) == len(KINDS):
            return self._ring
        mark = self._mark()
        if self._ring is None or mark != self._seen:
            self._ring, self._seen = self._read(), mark
        return self._ring

    def add(self, kind: Kind, *, at: datetime) -> int:
        """Draw a new key, make it the current one of its kind and return its id."""
        self._refuse_given(kind)
        with self._changing() as kept:
            entry = kept[kind]
            key_id = 1 + max(map(int, entry["keys"]))
            if key_id > 255:
                raise RingRefused("255 keys of a kind are the most")
            entry["keys"][str(key_id)] = encoded(secrets.token_bytes(KEY_BYTES))
            entry["current"], entry["since"] = key_id, at.isoformat()
        return key_id

    def use_provider(self, name: str, *, at: datetime) -> None:
        """Change the suite of algorithms for everything that is sealed from now on."""
        if self._provider:
            raise RingRefused("the suite is given by a setting; change it there")
        if name not in PROVIDERS:
            raise RingRefused(f"no suite {name!r}")
        with self._changing() as kept:
            kept["provider"] = name
            for kind in ("data", "index"):
                kept[kind]["since"] = at.isoformat()

    def remove(self, kind: Kind, key_id: int) -> None:
        """Forget a key. Who calls has counted that nothing is left on it."""
        self._refuse_given(kind)
        if kind == "signing":
            raise RingRefused("signing keys stay: what they signed must verify")
        with self._changing() as kept:
            entry = kept[kind]
            if key_id == entry["current"]:
                raise RingRefused(f"key {key_id} is the current {kind} key")
            if entry["keys"].pop(str(key_id), None) is None:
                raise RingRefused(f"there is no {kind} key {key_id}")

    def _refuse_given(self, kind: Kind) -> None:
        if kind in self._given:
            raise RingRefused(f"the {kind} keys are given by settings; change them there")

    def _mark(self) -> tuple[int, ...]:
        stat = self._path.stat()
        return stat.st_mtime_ns, stat.st_ino, stat.st_size

    def _read(self) -> KeyRing:
        kept = json.loads(self._path.read_text()).get("ring")
        if kept is None and len(self._given) < len(KINDS):
            with self._changing():
                pass  # writes the first ring
            kept = json.loads(self._path.read_text())["ring"]
        sets = {
            kind: self._given.get(kind)
            or KeySet(
                {
                    int(key_id): unwrapped(self._master, f"{kind}|{key_id}", text)
                    for key_id, text in kept[kind]["keys"].items()
                },
                kept[kind]["current"],
                datetime.fromisoformat(kept[kind]["since"]) if kept[kind].get("since") else None,
            )
            for kind in KINDS
        }
        return KeyRing(
            self._provider or (kept["provider"] if kept else "intl"),
            sets["data"], sets["index"], sets["signing"], self._code_key,
        )  # fmt: skip

    def _first_ring(self) -> dict[str, Any]:
        """Write the ring of a file from before it had one."""
        keys = {kind: self._first.get(kind) or secrets.token_bytes(KEY_BYTES) for kind in KINDS}
        return {
            "provider": "intl",
            **{kind: {"keys": {"1": encoded(key)}, "current": 1} for kind, key in keys.items()},
        }

    @contextlib.contextmanager
    def _changing(self) -> Iterator[dict[str, Any]]:
        """Change the ring under a lock; readers see the old file or the new one, never half."""
        with self._path.with_name(f"{self._path.name}.lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            everything: dict[str, Any] = json.loads(self._path.read_text())
            kept: dict[str, Any] = everything.setdefault("ring", None) or self._first_ring()
            yield kept
            self._wrap(kept)
            everything["ring"] = kept
            _replace_file(self._path, json.dumps(everything, indent=1))
        self._ring = None

    def _wrap(self, kept: dict[str, Any]) -> None:
        """Wrap every key that lies in the clear, where there is a master key."""
        for kind in KINDS if self._master else ():
            keys = kept[kind]["keys"]
            for key_id, text in keys.items():
                if not text.startswith(WRAPPED):
                    place = f"{kind}|{key_id}"
                    keys[key_id] = wrapped(self._master, place, text, kept["provider"])


def ring_source(ring: KeyRing | RingFile) -> Callable[[], KeyRing]:
    """Return a function that tells the ring of now."""
    return ring.ring if isinstance(ring, RingFile) else lambda: ring


def _replace_file(path: Path, text: str) -> None:
    """Write a file anew, so that a crash leaves the old one or the new one."""
    draft = path.with_name(f"{path.name}.{os.getpid()}.new")
    handle = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as out:
        out.write(text)
        out.flush()
        os.fsync(out.fileno())
    draft.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
