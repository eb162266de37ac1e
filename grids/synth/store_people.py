"""Write homes, households, people and what happened to them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import numpy as np

from grids.secrets import Vault, local, normal_name, normal_phone
from grids.synth.homes import (
    AGE_BANDS,
    EPOCH,
    ROLES,
    Codes,
    Dwellings,
    Ints,
    People,
    days_of,
    identities,
)
from grids.synth.moves import KINDS, LATEST, SOURCES, STAYS, Past
from grids.synth.plan import Plan
from grids.synth.store import Keys, Writer

#: Hours of a day in UTC at which the windows are open.
OPEN_FROM, OPEN_FOR = 1, 8


@dataclass(frozen=True)
class Register:
    """The register of residents of a simulated city; `homes` says where its buildings lie."""

    plan: Plan
    vault: Vault
    dwellings: Dwellings
    people: People
    past: Past
    keys: Keys
    homes: Mapping[str, Any]

    @cached_property
    def _dwellings(self) -> Ints:
        """The dwelling of each household row, former ones behind."""
        return np.concatenate([self.people.household_dwelling, self.past.moves.left])

    @cached_property
    def _relations(self) -> Codes:
        return np.concatenate([self.people.relation, self.past.gone.relation])

    def write_homes(self, out: Writer, start: int, stop: int) -> None:
        """Write some of the dwellings with the households and residents of today."""
        part = slice(start, stop)
        out.put("dwelling", {
            "id": self.keys["dwelling"][part],
            "building_id": self.keys["building"][self.dwellings.building[part]],
            "unit": self.dwellings.unit[part], "floor": self.dwellings.floor[part],
            "room": self.dwellings.room[part], "use": self.dwellings.use[part],
            "area_m2": self.dwellings.area_m2[part],
        })  # fmt: skip
        first, last = np.searchsorted(self.people.household_dwelling, [start, stop]).tolist()
        self._put_households(
            out, np.arange(first, last), self.people.household_kind[first:last], None
        )
        one, end = np.searchsorted(self.people.household, [first, last]).tolist()
        self._put_persons(out, self.people, slice(one, end), 0, "people")

    def write_past(self, out: Writer, start: int, stop: int) -> None:
        """Write the past of some households: former homes, who left, and all events."""
        moves, gone = self.past.moves, self.past.gone
        first, last = np.searchsorted(moves.household, [start, stop]).tolist()
        of = moves.household[first:last]
        self._put_households(
            out, moves.households + np.arange(first, last), self.people.household_kind[of],
            moves.day[first:last],
        )  # fmt: skip
        left = slice(*np.searchsorted(gone.household, [start, stop]).tolist())
        self._put_persons(out, gone, left, len(self.people), "gone")
        here = np.searchsorted(self.people.household, [start, stop])
        for people in (here, len(self.people) + np.array([left.start, left.stop])):
            self._put_events(out, slice(*np.searchsorted(self.past.events.person, people).tolist()))

    def _put_households(self, out: Writer, rows: Ints, kind: Any, ended: Ints | None) -> None:
        dwelling = self._dwellings[rows]
        building = self.dwellings.building[dwelling]
        out.put("household", {
            "id": self.keys["household"][rows], "dwelling_id": self.keys["dwelling"][dwelling],
            "kind": kind, **{name: column[building] for name, column in self.homes.items()},
            "ended_on": [None] * len(rows) if ended is None else days_of(ended).tolist(),
        })  # fmt: skip

    def _put_persons(
        self, out: Writer, people: People, part: slice, before: int, stream: str
    ) -> None:
        """Write some of the persons; names and numbers are sealed from the first row.

        `before` persons stand before these in the arrays of the past.
        """
        which = slice(before + part.start, before + part.stop)
        ids = self.keys["person"][which]
        if not len(ids):
            return
        row = self.past.row[which]
        dwelling = self._dwellings[row]
        building = self.dwellings.building[dwelling]
        own_facts = identities(self.plan, people, part, stream)
        numbers = own_facts.id_number
        phones = [normal_phone(phone) if phone else None for phone in own_facts.phone]
        own = [phone for phone in phones if phone]
        has_phone = [k for k, phone in enumerate(phones) if phone]

        def seal(column: str, texts: Sequence[str]) -> list[bytes]:
            return self.vault.seal_many("person", column, ids.tolist(), texts)

        phone_sealed = self.vault.seal_many("person", "phone_sealed", ids[has_phone].tolist(), own)
        index = self.vault.blind_index_many
        out.put("person", {
            "id": ids, "household_id": self.keys["household"][row],
            "name_sealed": seal("name_sealed", own_facts.name),
            "name_index": index("person", "name", [
                local(normal_name(name), code)
                for name, code in zip(
                    own_facts.name, self.homes["area_code"][building], strict=True
                )
            ]),
            "id_number_sealed": seal("id_number_sealed", numbers),
            "id_number_index": index("person", "id_number", numbers),
            "phone_sealed": _spread(phone_sealed, has_phone, len(ids)),
            "phone_index": _spread(index("person", "phone", own), has_phone, len(ids)),
            "birth_sealed": seal("birth_sealed", own_facts.birth),
            "age_band": np.array(AGE_BANDS, dtype=object)[people.age_band[part]],
            "relation": np.array(ROLES, dtype=object)[people.relation[part]],
            "residency": np.where(people.is_migrant[part], "migrant", "registered"),
            **{name: column[building] for name, column in self.homes.items()},
            "moved_in_on": days_of(self.past.since[which]).tolist(),
            "moved_out_on": _days(self.past.out[which], STAYS),
        })  # fmt: skip

    def _put_events(self, out: Writer, part: slice) -> None:
        events, keys = self.past.events, self.keys
        kind, day, person = events.kind[part], events.day[part], events.person[part]
        if not len(kind):
            return
        role = np.array(ROLES, dtype=object)[self._relations[person]]
        comes, stays = events.came_from[part] >= 0, events.goes_to[part] >= 0
        out.put("person_event", {
            "person_id": keys["person"][person],
            "kind": np.array(KINDS, dtype=object)[kind],
            "occurred_on": days_of(day).tolist(),
            "recorded_at": self._recorded(part),
            "source": np.array(SOURCES, dtype=object)[kind],
            "from_household_id": _keyed(keys["household"], events.came_from[part]),
            "from_since": _days(events.since[part], -1),
            "from_relation": np.ma.masked_array(role, mask=~comes),
            "to_household_id": _keyed(keys["household"], events.goes_to[part]),
            "to_relation": np.ma.masked_array(role, mask=comes | ~stays),
        })  # fmt: skip

    def _recorded(self, part: slice) -> list[datetime]:
        """Say when events were recorded: some days later, at an hour of the windows."""
        events = self.past.events
        rng = self.plan.rng(f"recorded {part.start}")
        later = rng.integers(0, np.array(LATEST)[events.kind[part]])
        today = self.plan.today.toordinal() - EPOCH
        day = np.minimum(events.day[part] + later, today - 1)
        day = np.maximum(day, events.day[part])
        # On the day itself that is just begun, before it: nothing is recorded in the future.
        hours = OPEN_FROM + rng.integers(0, OPEN_FOR * 60, len(day)) / 60
        seconds = np.where(day >= today, day * 86_400, day * 86_400 + hours * 3_600)
        return [datetime.fromtimestamp(int(one), UTC) for one in seconds.tolist()]


def _days(since_epoch: Ints, none: int) -> Any:
    """Write days; those that hold the word for none stay empty."""
    mask = since_epoch == none
    return np.ma.masked_array(days_of(np.where(mask, 0, since_epoch)), mask=mask)


def _keyed(keys: Ints, numbers: Ints) -> Any:
    return np.ma.masked_array(keys[np.maximum(numbers, 0)], mask=numbers < 0)


def _spread(values: Sequence[bytes], places: Sequence[int], count: int) -> list[bytes | None]:
    """Put values at their places among `count`; the others have none."""
    out: list[bytes | None] = [None] * count
    for place, value in zip(places, values, strict=True):
        out[place] = value
    return out
