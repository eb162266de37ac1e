"""Databases of others that tables may be taken from: a list of the deployer, never what a person types.

The name of a server is resolved once and the connection goes to the address that was checked, as for
every call to the outside (`app.outgoing`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from app.outgoing import Door, OutgoingRefused, doors_from, resolve
from gis.tables.postgres import Login

_ENTRY: Final = re.compile(
    r"(?P<id>\w+)=postgresql://(?P<rest>[^/\s]+)/(?P<name>\w[\w-]{0,62})(?P<networks>( \S+)*)"
)
_PORT: Final = 5432


@dataclass(frozen=True)
class Database:
    """One database that may be read: where it stands, and what it is called."""

    door: Door
    name: str

    @property
    def id(self) -> str:
        """Return the word by which it is chosen."""
        return self.door.id

    def login(self, user: str, password: str) -> Login:
        """Resolve its host and say how to sign in. Raises `OutgoingRefused` and `OutgoingFailed`."""
        address = resolve(self.door)
        return Login(self.door.host, str(address), self.door.port, self.name, user, password)


def databases_from(text: str) -> Mapping[str, Database]:
    """Read the setting: `id=postgresql://host[:port]/database [network ...]`, with commas between.

    >>> found = databases_from("permits=postgresql://db.permits.city.cn/permits 10.0.0.0/8")
    >>> found["permits"].door.host, found["permits"].door.port, found["permits"].name
    ('db.permits.city.cn', 5432, 'permits')

    Raises `OutgoingRefused` for an entry that is not written plainly.
    """
    found: dict[str, Database] = {}
    for entry in filter(None, (part.strip() for part in text.split(","))):
        match = _ENTRY.fullmatch(" ".join(entry.split()))
        if match is None:
            raise OutgoingRefused(f"{entry[:40]!r} is not written plainly", field="import_hosts")
        place = match["rest"] if re.search(r":\d+$", match["rest"]) else f"{match['rest']}:{_PORT}"
        # Host, port and networks are read by the one parser that refuses what can be read twice.
        doors = doors_from(f"{match['id']}=http://{place}{match['networks']}")
        if match["id"] in found:
            raise OutgoingRefused(f"{match['id']} is listed twice", field="import_hosts")
        found[match["id"]] = Database(doors.get(match["id"]), match["name"])
    return found
