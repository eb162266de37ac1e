"""The first matrix of a city: the departments of the code lists, towns for what they handle.

Made once, from `data/codes` and the city's areas; from then on people change it by drafts.
Towns and streets become departments of their own (责任单位), because a case is dispatched to one.
"""

from __future__ import annotations

from datetime import datetime
from typing import Final

from sqlalchemy import func, select
from sqlalchemy.dialects.postgresql import Range, insert
from sqlalchemy.orm import Session

from grids.city import City
from grids.codes import Category, CategoryLimit, Department
from grids.divisions import Area
from grids.responsibility.models import Rule, RuleSet

#: Who has what nobody else has: the bureau of comprehensive enforcement answers for the whole
#: city, as the document that the matrix starts from asks (明确各部门的职责, S0-130).
DEFAULT: Final = "D03"
#: What towns and streets handle in their own area, with the department that helps: small,
#: daily, done with a broom and a word (domain 7.2: the four platforms of a town).
OF_TOWNS: Final = {
    "06010": "D02", "06011": "D02", "06012": "D02", "06002": "D03", "06003": "D03",
    "07001": "D03", "09001": "D03", "09005": "D03", "09006": "D03",
}  # fmt: skip
#: At night these are secured by who is awake; the department repairs in the morning.
AT_NIGHT: Final = {"09009": ("D13", "D04"), "06028": ("D13", "D08")}
ROAD_OWNERS: Final = ("D01", "D10", "D11", "D15")

#: The sentences of the shipped rules, by name, so that a face can say them in its language too.
#: What a person writes into a rule stands as it was written.
SHIPPED_WHY: Final = {
    "fallback": "兜底：无专门规定的事项由综合行政执法局首接负责",
    "class": "专业部门按类别负责",
    "sub_class": "本小类由专门的权属部门负责",
    "owner": "部件权属单位负责维修（谁所有、谁负责）",
    "town": "属地管理：镇街就近处置，专业部门协助",
    "night": "夜间由值守力量先行处置，次日移交专业部门",
}


def town_department(area_code: str) -> str:
    """Return the department code of a town.

    >>> town_department("339901001")
    'T339901001'
    """
    return f"T{area_code}"


def seed_matrix(session: Session, *, now: datetime) -> int:
    """Make the first matrix of a city that has none; return how many rules it has.

    Called again it changes nothing: what people made of it since stays.
    """
    has_city = session.scalar(select(City.id)) is not None
    if not has_city or session.scalar(select(RuleSet.id).limit(1)) is not None:
        return 0
    codes = set(session.scalars(select(Department.code)))
    if DEFAULT not in codes:
        return 0
    towns = _town_departments(session)
    made = RuleSet(name="初始权责清单 / First matrix", note="data/codes", created_at=now)
    session.add(made)
    session.flush()
    rules = [_rule(made.id, now, why=SHIPPED_WHY["fallback"],
                   department=DEFAULT)]  # fmt: skip
    rules += _of_departments(session, made.id, now)
    rules += _of_owners(made.id, now, codes)
    rules += _of_towns(session, made.id, now, towns, codes)
    rules += _of_the_night(session, made.id, now, codes)
    session.add_all(rules)
    session.flush()
    # In force from before the first case, so that a trial on last year has something to compare.
    made.status, made.valid = "live", Range(datetime(2020, 1, 1, tzinfo=now.tzinfo), None)
    session.flush()
    return len(rules)


def _rule(set_id: int, now: datetime, *, why: str, department: str, **more: object) -> Rule:
    return Rule(
        rule_set_id=set_id, changed_at=now, department_code=department, why=why,
        basis=str(more.pop("basis", "")), days=Range(None, None), **more,
    )  # fmt: skip


def _of_departments(session: Session, set_id: int, now: datetime) -> list[Rule]:
    """One rule for each class, one for each sub-class whose department differs from its class's."""
    found = session.execute(
        select(
            Category.kind,
            Category.code,
            func.min(CategoryLimit.department_code).label("department"),
        )
        .join(CategoryLimit, CategoryLimit.category_id == Category.id)
        .where(CategoryLimit.department_code.is_not(None))
        .group_by(Category.kind, Category.code)
        .order_by(Category.kind, Category.code)
    ).all()
    usual: dict[tuple[str, str], str] = {}
    for row in found:
        counts = [r.department for r in found if (r.kind, r.code[:2]) == (row.kind, row.code[:2])]
        usual[row.kind, row.code[:2]] = max(set(counts), key=lambda d: (counts.count(d), d))
    made = [
        _rule(set_id, now, kind=kind, category=category, department=department,
              why=SHIPPED_WHY["class"], basis="data/codes/limits.csv")
        for (kind, category), department in usual.items()
    ]  # fmt: skip
    made += [
        _rule(set_id, now, kind=row.kind, category=row.code, department=row.department,
              why=SHIPPED_WHY["sub_class"], basis="data/codes/limits.csv")
        for row in found
        if len(row.code) > 2 and usual[row.kind, row.code[:2]] != row.department
    ]  # fmt: skip
    return made


def _of_owners(set_id: int, now: datetime, codes: set[str]) -> list[Rule]:
    """Whoever owns an asset repairs it, whatever class the report was given."""
    return [
        _rule(set_id, now, owner=code, department=code, why=SHIPPED_WHY["owner"])
        for code in ROAD_OWNERS
        if code in codes
    ]


def _of_towns(
    session: Session, set_id: int, now: datetime, towns: list[str], codes: set[str]
) -> list[Rule]:
    known = set(session.scalars(select(Category.code).where(Category.kind == "matter")))
    return [
        _rule(set_id, now, kind="matter", category=category, area=town,
              department=town_department(town),
              assisting=[assisting] if assisting in codes else [],
              why=SHIPPED_WHY["town"])
        for town in towns
        for category, assisting in OF_TOWNS.items()
        if category in known
    ]  # fmt: skip


def _of_the_night(session: Session, set_id: int, now: datetime, codes: set[str]) -> list[Rule]:
    known = set(session.scalars(select(Category.code).where(Category.kind == "matter")))
    return [
        _rule(set_id, now, kind="matter", category=category, band="night", department=lead,
              assisting=[helper], why=SHIPPED_WHY["night"])
        for category, (lead, helper) in AT_NIGHT.items()
        if category in known and {lead, helper} <= codes
    ]  # fmt: skip


def _town_departments(session: Session) -> list[str]:
    """Give every town a department of its own; return the towns."""
    towns = session.execute(
        select(Area.code, Area.name_zh, Area.name_en)
        .where(func.length(Area.code) == 9, Area.valid_to.is_(None))
        .order_by(Area.code)
    ).all()
    if not towns:
        return []
    rows = [
        {"code": town_department(row.code), "name_zh": row.name_zh, "name_en": row.name_en,
         "sort": 100 + number}
        for number, row in enumerate(towns)
    ]  # fmt: skip
    session.execute(insert(Department).values(rows).on_conflict_do_nothing())
    return [row.code for row in towns]
