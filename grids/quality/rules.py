"""The rules of data quality: THE list. A rule is one line; runs, pages and alarms follow it.

A rule says over which entries of a register it is asked (`applies`) and which of them fail
(`fails`), as conditions on the register's table. `:today` is the day in the city. Conditions
that look at other rows do so by uncorrelated sets, so that one pass judges a whole register.

Rules of dwellings, households and persons (`RESIDENTS`) are judged by `grids.quality.residents`:
they ask whether something is filled and what fits together, never what a sealed value says, and
what they find leaves as a count of an area and nothing else (decisions 3 and 8). A set of two
million persons may not fit into memory and is then gone through for each of them: these rules
look at what is joined there.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Literal

from grids.errors import NotFound
from grids.registers.kinds import KINDS

Dimension = Literal["complete", "valid", "unique", "timely", "consistent", "true"]
#: 完整 规范 唯一 及时 一致 真实
DIMENSIONS: Final[tuple[Dimension, ...]] = (
    "complete", "valid", "unique", "timely", "consistent", "true",
)  # fmt: skip

#: After so many days without a look an entry is no longer known to be so.
FRESH_DAYS: Final = 365
#: An entry and its address, or its building, lie at most so far apart.
NEAR_M: Final = 200
#: A height of a storey between these is possible.
STOREY_M: Final = (2.2, 8.0)


#: Registers of residents and of their homes.
RESIDENTS: Final = ("dwelling", "household", "person")
#: A home with less floor than this for each of those who live in it is crowded, or miscounted.
FLOOR_EACH_M2: Final = 4


class NoRule(NotFound):
    """There is no such rule."""

    code = "quality.no_rule"


@dataclass(frozen=True)
class Rule:
    """One rule: which entries it is asked of, which fail, and how many may."""

    name: str  #: register.field.what
    dimension: Dimension
    fails: str
    applies: str = "true"
    #: Above this share of failures an alarm opens.
    limit: float = 0.05
    #: Of residents: the published count that the failures are a share of.
    per: str = ""

    @property
    def is_counted(self) -> bool:
        """Say whether the rule is about residents: told as counts, never as a list."""
        return self.register in RESIDENTS

    @property
    def register(self) -> str:
        """Return the register that the rule is about."""
        return self.name.partition(".")[0]

    @property
    def field(self) -> str:
        """Return the field that the rule is about."""
        return self.name.split(".")[1]

    @property
    def model(self) -> Any:
        """Return the model of the register."""
        return KINDS[self.register].model


#: What is gone is not judged.
STANDS: Final = {
    "building": "building.valid_to IS NULL",
    "address": "address.valid_to IS NULL AND address.plate_state = 'in_use'",
    "enterprise": "enterprise.valid_to IS NULL AND enterprise.status <> 'closed'",
    "premises": "premises.valid_to IS NULL",
    "component": "component.valid_to IS NULL AND component.state <> 'removed'",
    "facility": "facility.valid_to IS NULL",
}


def _missing(register: str, field: str, *, applies: str = "true", limit: float = 0.05) -> Rule:
    empty = f"{register}.{field} IS NULL"
    if register == "premises" and field == "name":
        empty += " OR premises.name = ''"
    return Rule(f"{register}.{field}.missing", "complete", empty, applies, limit)


def _stale(register: str) -> Rule:
    """No change, no visit and no registration for a year: nobody knows whether it is still so."""
    return Rule(
        f"{register}.entry.stale", "timely",
        f"""{register}.valid_from < CAST(:today AS date) - {FRESH_DAYS}
            AND {register}.id NOT IN (
              SELECT entry_id FROM register_change
              WHERE register = '{register}'
                AND changed_at > CAST(:today AS date) - {FRESH_DAYS})
            AND {register}.id NOT IN (
              SELECT subject_id FROM visit
              WHERE subject = '{register}' AND done_at > CAST(:today AS date) - {FRESH_DAYS})""",
        limit=0.5,
    )  # fmt: skip


def _unplaced(register: str) -> Rule:
    """Its point lies in no duty grid: wrong coordinates, or a gap between grids."""
    return Rule(f"{register}.place.no_grid", "valid", f"{register}.grid_id IS NULL", limit=0.01)


def _apart(register: str) -> Rule:
    """Two sources put it far apart, and nobody has looked: one of them is wrong.

    Sources are compared within an entry: a join of all facts with themselves took 46 s instead
    of one where statistics were older than the day's feeds.
    """
    return Rule(
        f"{register}.place.sources_apart", "consistent",
        f"""{register}.id IN (
              SELECT entry_id FROM (
                SELECT entry_id, array_agg(ST_PointOnSurface(value::geometry)) AS places
                FROM fact WHERE register = '{register}' AND field = 'place'
                GROUP BY 1 HAVING count(*) > 1) AS told
              WHERE EXISTS (SELECT FROM unnest(places) AS one, unnest(places) AS other
                            WHERE ST_DistanceSphere(one, other) > {NEAR_M}))
            AND {register}.id NOT IN (
              SELECT entry_id FROM fact WHERE register = '{register}' AND field = 'place'
                AND source IN ('ground', 'desk'))""",
        limit=0.02,
    )  # fmt: skip


def _untrue(register: str, field: str) -> Rule:
    """Of those who were looked at within a year, the last look found another value."""
    seen = f"""SELECT DISTINCT ON (o.subject_id) o.subject_id, o.replaced
               FROM observation AS o
               JOIN form_question AS q ON q.key = o.question AND q.no = o.question_no
               WHERE o.subject = '{register}' AND q.register = '{register}.{field}'
                 AND o.recorded_at > CAST(:today AS date) - {FRESH_DAYS}
               ORDER BY o.subject_id, o.observed_at DESC"""
    return Rule(
        f"{register}.{field}.found_otherwise", "true",
        f"{register}.id IN (SELECT subject_id FROM ({seen}) AS s WHERE replaced IS NOT NULL)",
        f"{register}.id IN (SELECT subject_id FROM ({seen}) AS s)",
        limit=0.1,
    )  # fmt: skip


_TODAY = "CAST(:today AS date)"
#: Who lives there today; `living` counts those of a household or a dwelling, nobody is no row.
LIVING: Final = f"(person.moved_out_on IS NULL OR person.moved_out_on > {_TODAY})"
_CHILD: Final = "person.age_band IN ('0-5', '6-14')"
_LIVED_IN: Final = "living.n IS NOT NULL"


def _unsealed(field: str, column: str, *, applies: str = "true", limit: float = 0.02) -> Rule:
    """Nothing is sealed under a field. Whose data were deleted on request lack it rightly."""
    return Rule(
        f"person.{field}.missing",
        "complete",
        f"person.{column} IS NULL",
        f"{LIVING} AND person.anonymised_at IS NULL AND {applies}",
        limit,
        "people",
    )


def _elsewhere(register: str, other: str, applies: str, *, per: str) -> Rule:
    """Cell, grid and area follow from the home: a row that says another is counted elsewhere."""
    told, true = (", ".join(f"{one}.{name}" for name in ("cell_id", "grid_id", "area_code"))
                  for one in (register, other))  # fmt: skip
    return Rule(f"{register}.place.other_than_{other}", "consistent",
                f"({told}) IS DISTINCT FROM ({true})", applies, 0.01, per)  # fmt: skip


_YEAR = f"extract(year FROM {_TODAY})"

RULES: Final[dict[str, Rule]] = {
    rule.name: rule
    for rule in (
        # 法人
        _missing("enterprise", "uscc", limit=0.02),
        _missing("enterprise", "address_id"),
        _missing("enterprise", "registered_on"),
        _missing("enterprise", "staff", limit=0.2),
        Rule("enterprise.uscc.check_digit", "valid", "NOT is_credit_code(enterprise.uscc)",
             "enterprise.uscc IS NOT NULL", limit=0.002),
        Rule("enterprise.registered_on.impossible", "valid",
             f"enterprise.registered_on > {_TODAY} OR enterprise.registered_on < '1949-10-01'",
             "enterprise.registered_on IS NOT NULL", limit=0.002),
        Rule("enterprise.uscc.other_kind", "consistent",
             # The second character says what kind of body it is (GB 32100).
             """CASE left(enterprise.uscc, 2)
                  WHEN '92' THEN enterprise.kind <> 'individual'
                  WHEN '91' THEN enterprise.kind <> 'company'
                  WHEN '11' THEN enterprise.kind <> 'organ'
                  WHEN '12' THEN enterprise.kind <> 'institution'
                  WHEN '51' THEN enterprise.kind <> 'association'
                  ELSE false END""",
             "enterprise.uscc IS NOT NULL", limit=0.01),
        Rule("enterprise.name.twice", "unique",
             """(left(enterprise.area_code, 9), enterprise.name) IN (
                  SELECT left(area_code, 9), name FROM enterprise
                  WHERE valid_to IS NULL AND status <> 'closed'
                  GROUP BY 1, 2 HAVING count(*) > 1)""", limit=0.02),
        Rule("enterprise.place.far_from_address", "consistent",
             f"""EXISTS (SELECT 1 FROM address AS a WHERE a.id = enterprise.address_id
                   AND ST_DistanceSphere(a.geom, enterprise.geom) > {NEAR_M})""",
             "enterprise.address_id IS NOT NULL", limit=0.02),
        Rule("enterprise.status.open_without_premises", "consistent",
             """enterprise.id NOT IN (SELECT enterprise_id FROM premises
                  WHERE valid_to IS NULL AND enterprise_id IS NOT NULL)""",
             "enterprise.status = 'open'", limit=0.4),
        _unplaced("enterprise"),
        _apart("enterprise"),
        _stale("enterprise"),
        _untrue("enterprise", "status"),
        _untrue("enterprise", "staff"),
        # 场所
        _missing("premises", "name", applies="premises.kind <> 'rental_house'"),
        _missing("premises", "floor_area_m2", limit=0.1),
        _missing("premises", "building_id", limit=0.3),
        _missing("premises", "enterprise_id", applies="premises.kind <> 'rental_house'", limit=0.1),
        Rule("premises.floor_area_m2.impossible", "valid",
             "premises.floor_area_m2 < 2 OR premises.floor_area_m2 > 500000",
             "premises.floor_area_m2 IS NOT NULL", limit=0.002),
        Rule("premises.enterprise_id.closed", "consistent",
             """premises.enterprise_id IN (SELECT id FROM enterprise
                  WHERE status = 'closed' OR valid_to IS NOT NULL)""",
             "premises.enterprise_id IS NOT NULL", limit=0.02),
        Rule("premises.place.far_from_building", "consistent",
             f"""EXISTS (SELECT 1 FROM building AS b WHERE b.id = premises.building_id
                   AND ST_DistanceSphere(ST_PointOnSurface(b.geom), premises.geom) > {NEAR_M})""",
             "premises.building_id IS NOT NULL", limit=0.02),
        Rule("premises.name.twice", "unique",
             """(premises.building_id, premises.name) IN (
                  SELECT building_id, name FROM premises WHERE valid_to IS NULL
                  GROUP BY 1, 2 HAVING count(*) > 1)""",
             "premises.building_id IS NOT NULL AND premises.name <> ''", limit=0.02),
        _unplaced("premises"),
        _apart("premises"),
        _stale("premises"),
        _untrue("premises", "floor_area_m2"),
        # 房屋
        _missing("building", "levels", limit=0.1),
        _missing("building", "built_year", limit=0.3),
        _missing("building", "address_id", limit=0.4),
        Rule("building.built_year.impossible", "valid",
             f"building.built_year > {_YEAR} OR building.built_year < 1000",
             "building.built_year IS NOT NULL", limit=0.002),
        Rule("building.height_m.other_than_levels", "consistent",
             f"""building.height_m / building.levels
                 NOT BETWEEN {STOREY_M[0]} AND {STOREY_M[1]}""",
             "building.levels > 0 AND building.height_m IS NOT NULL", limit=0.02),
        Rule("building.dwellings.miscounted", "consistent",
             """(building.id, building.dwellings) NOT IN (
                  SELECT building_id, count(*)::integer FROM dwelling GROUP BY 1)""",
             "building.dwellings > 0", limit=0.01),
        Rule("building.place.twice", "unique",
             """(building.cell_id, ST_AsText(ST_SnapToGrid(ST_Centroid(building.geom), 0.00001))) IN (
                  SELECT cell_id, ST_AsText(ST_SnapToGrid(ST_Centroid(geom), 0.00001))
                  FROM building WHERE valid_to IS NULL GROUP BY 1, 2 HAVING count(*) > 1)""",
             limit=0.01),
        _unplaced("building"),
        _apart("building"),
        _untrue("building", "levels"),
        # 地址
        Rule("address.text.unclear", "complete", "address.quality < 60",
             "address.quality IS NOT NULL", limit=0.1),
        Rule("address.text.twice", "unique",
             """(left(address.area_code, 12), address.text) IN (
                  SELECT left(area_code, 12), text FROM address
                  WHERE valid_to IS NULL AND plate_state = 'in_use'
                  GROUP BY 1, 2 HAVING count(*) > 1)""", limit=0.01),
        _unplaced("address"),
        _apart("address"),
        # 部件
        _missing("component", "department_code", limit=0.02),
        Rule("component.identifier.malformed", "valid",
             r"""component.identifier !~ '^\d{17}$'
                 OR substr(component.identifier, 7, 5) <> component.code""", limit=0.002),
        Rule("component.code.unknown", "valid",
             """(component.code_system, component.code) NOT IN (
                  SELECT code_system, code FROM category WHERE kind = 'component')""",
             limit=0.002),
        Rule("component.place.twice", "unique",
             # One kind twice within a metre: entered twice.
             """(component.cell_id, component.code, ST_AsText(ST_SnapToGrid(
                   ST_Centroid(component.geom), 0.00001))) IN (
                  SELECT cell_id, code, ST_AsText(ST_SnapToGrid(ST_Centroid(geom), 0.00001))
                  FROM component WHERE valid_to IS NULL AND state <> 'removed'
                  GROUP BY 1, 2, 3 HAVING count(*) > 1)""", limit=0.01),
        _unplaced("component"),
        _apart("component"),
        _untrue("component", "state"),
        # 设施
        _missing("facility", "name"),
        Rule("facility.name.twice", "unique",
             """(left(facility.area_code, 12), facility.kind, facility.name) IN (
                  SELECT left(area_code, 12), kind, name FROM facility WHERE valid_to IS NULL
                  GROUP BY 1, 2, 3 HAVING count(*) > 1)""",
             "facility.name <> ''", limit=0.02),
        _unplaced("facility"),
        _apart("facility"),
        # 户室
        Rule("dwelling.area_m2.missing", "complete", "dwelling.area_m2 IS NULL", per="dwellings"),
        Rule("dwelling.use.let_to_nobody", "consistent", "living.n IS NULL",
             "dwelling.use = 'rental'", 0.2, "rentals"),
        Rule("dwelling.area_m2.crowded", "consistent",
             f"dwelling.area_m2 < {FLOOR_EACH_M2} * living.n",
             f"{_LIVED_IN} AND dwelling.area_m2 IS NOT NULL", 0.02, "dwellings"),
        # 户
        Rule("household.head.missing", "complete", "living.heads = 0", _LIVED_IN, 0.02,
             "households"),
        Rule("household.head.twice", "unique", "living.heads > 1", _LIVED_IN, 0.01, "households"),
        Rule("household.head.child", "valid", "living.child_heads > 0", _LIVED_IN, 0.01,
             "households"),
        Rule("household.entry.nobody", "timely", "living.n IS NULL", "household.ended_on IS NULL",
             per="households"),
        Rule("household.dwelling_id.vacant", "consistent", "dwelling.use = 'vacant'", _LIVED_IN,
             0.02, "households"),
        _elsewhere("household", "building", "true", per="households"),
        # 人
        _unsealed("name", "name_sealed"),
        _unsealed("id_number", "id_number_sealed"),
        _unsealed("birth", "birth_sealed"),
        _unsealed("phone", "phone_sealed", applies=f"NOT {_CHILD}", limit=0.15),
        # The keyed index of the number: no number is opened.
        Rule("person.id_number.twice", "unique", "twice.id_number_index IS NOT NULL", LIVING,
             0.005, "people"),
        Rule("person.moved_in_on.impossible", "valid",
             f"person.moved_in_on > {_TODAY} OR person.moved_out_on < person.moved_in_on",
             limit=0.005, per="people"),
        Rule("person.place.no_grid", "valid", "person.grid_id IS NULL", LIVING, 0.01, "people"),
        _elsewhere("person", "household", LIVING, per="people"),
    )
}  # fmt: skip


def rule_of(name: str) -> Rule:
    """Return a rule by its name. Raises `NoRule`."""
    if name not in RULES:
        raise NoRule(f"no rule {name[:60]!r}")
    return RULES[name]


def rules_of(register: str) -> tuple[Rule, ...]:
    """Return the rules of a register, in the order of the list."""
    return tuple(rule for rule in RULES.values() if rule.register == register)
