"""The parts that a simulated city is written in; all but the ground may be written side by side."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy import Connection

from grids.linking import PlaceIndex, link_points
from grids.secrets import Vault
from grids.synth import docket as dockets
from grids.synth import store
from grids.synth.addresses import Addresses, address_houses
from grids.synth.business import Firms, Sites, open_firms, rental_houses
from grids.synth.conversions import store_conversions
from grids.synth.docket import Docket
from grids.synth.fittings import Components, Facilities, place_components, place_facilities
from grids.synth.homes import Dwellings, Ints, People, build_dwellings, settle_people
from grids.synth.moves import Past, remember
from grids.synth.pipes import store_pipes
from grids.synth.plan import Plan
from grids.synth.shapes import Floats
from grids.synth.sites import store_sites
from grids.synth.store import Writer
from grids.synth.store_people import Register
from grids.synth.world import World, make_world, to_earth
from grids.synth.years import built_years

#: Homes that are written at once, with who lives in them.
HOMES = 20_000
#: Households whose past is written at once.
PASTS = 40_000
#: Tables whose keys are taken ahead, so that parts can name rows of each other.
KEYED = ("address", "building", "dwelling", "household", "person", "enterprise", "component")


@dataclass(frozen=True)
class Site:
    """Everything that a city is made of, before it is written; the same again from a seed."""

    plan: Plan
    world: World
    addresses: Addresses
    built: Ints
    dwellings: Dwellings
    residents: People
    past: Past
    firms: Firms
    sites: Sites
    rentals: tuple[Ints, list[str], Floats]
    components: Components
    facilities: Facilities

    def sizes(self) -> dict[str, int]:
        """Count the rows of each table whose keys are taken ahead."""
        houses = len(self.world.houses.shapes)
        past = self.past
        sizes = (houses, houses, len(self.dwellings.building),
                 past.moves.households + len(past.moves.day), len(self.residents) + len(past.gone),
                 len(self.firms.name), len(self.components.code))  # fmt: skip
        return dict(zip(KEYED, sizes, strict=True))


def survey(plan: Plan) -> Site:
    """Make a city in memory."""
    world = make_world(plan)
    addresses = address_houses(world)
    dwellings = build_dwellings(plan, world)
    residents = settle_people(plan, world, dwellings)
    firms, sites = open_firms(plan, world)
    return Site(
        plan=plan,
        world=world,
        addresses=addresses,
        built=built_years(world),
        dwellings=dwellings,
        residents=residents,
        past=remember(plan, dwellings, residents),
        firms=firms,
        sites=sites,
        rentals=rental_houses(world, dwellings, addresses.text),
        components=place_components(plan, world),
        facilities=place_facilities(plan, world),
    )


@dataclass(frozen=True)
class Works:
    """A city whose ground is written: how its other parts are."""

    site: Site
    vault: Vault
    index: PlaceIndex
    keys: dict[str, Ints]
    docket: Docket
    _parts: dict[str, Callable[[Writer, Connection], None]] = field(default_factory=dict)

    @cached_property
    def homes(self) -> dict[str, Any]:
        """Where the buildings lie; people lie where their building does."""
        return self.index.link(link_points(to_earth(self.site.world.houses.shapes))).columns()

    @cached_property
    def register(self) -> Register:
        """Return what writes homes and people."""
        site = self.site
        return Register(
            site.plan, self.vault, site.dwellings, site.residents, site.past, self.keys, self.homes
        )

    def first_parts(self) -> list[str]:
        """List the parts that need the ground alone."""
        homes = range(0, len(self.site.dwellings.building), HOMES)
        return ["fittings", "firms", *(f"homes {start}" for start in homes)]

    def later_parts(self) -> list[str]:
        """List the parts that need the components too, or every home."""
        pasts = range(0, self.site.past.moves.households, PASTS)
        cases = range(0, len(self.docket), dockets.PART)
        return [*(f"past {start}" for start in pasts), *(f"cases {start}" for start in cases)]

    def write(self, name: str, connection: Connection) -> Writer:
        """Write one part; return what was written."""
        out = Writer(connection)
        kind, _, at = name.partition(" ")
        start = int(at or 0)
        if kind == "fittings":
            store.store_fittings(
                out,
                self.site.plan,
                self.site.components,
                self.site.facilities,
                self.index,
                self.keys,
            )
            store_pipes(out, self.site.plan, self.site.world, self.index)
            store_sites(
                out, connection, self.site.plan, self.site.world, self.index, self.homes,
                self.keys["address"],
            )  # fmt: skip
        elif kind == "firms":
            site = self.site
            store.store_firms(
                out, site.plan, self.vault, site.firms, site.sites, site.rentals, self.keys,
                self.index,
            )  # fmt: skip
            store_conversions(
                out, site.plan, site.firms, self.keys["enterprise"],
                self.homes["area_code"][site.firms.building],
            )  # fmt: skip
        elif kind == "homes":
            self.register.write_homes(
                out, start, min(start + HOMES, len(self.site.dwellings.building))
            )
        elif kind == "past":
            stop = min(start + PASTS, self.site.past.moves.households)
            self.register.write_past(out, start, stop)
        else:
            rows = range(start, min(start + dockets.PART, len(self.docket)))
            dockets.store_part(out, connection, self.site.plan, self.vault, self.docket, rows)
        return out
